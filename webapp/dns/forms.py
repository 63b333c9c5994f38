"""Reads the DNS page's filters from the address."""

from collections.abc import Mapping

from webapp.dns.lines import UNCOVERED
from webapp.dns.listing import PAGE_SIZES, SORTS, UNSEEN, Filters
from webapp.dns.live import Liveness
from webapp.dns.models import ConsumerType, Status
from webapp.paging import page_from

STATUSES = frozenset({*Status, "deleting", UNCOVERED})
LIVES = (*Liveness, UNSEEN)


def filters_from(args: Mapping[str, str]) -> Filters:
    """Filters from query parameters; what makes no sense is ignored, so that an old link still opens."""
    size = args.get("size", "")
    status, sort = args.get("status", ""), args.get("sort", "")
    live, consumer = args.get("live", ""), args.get("consumer", "")
    return Filters(
        text=args.get("q", "").strip().replace("\0", "")[:253],
        status=status if status in STATUSES else "",
        live=live if live in LIVES else "",
        consumer=consumer if consumer in {*ConsumerType, "none"} else "",
        type=args.get("type", "").upper()[:10] if args.get("type", "").isalnum() else "",
        foreign=args.get("foreign") == "1" or status == Status.FOREIGN,
        sort=sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "name",
        descending=sort.startswith("-"),
        page=page_from(args.get("page", "")),
        size=int(size) if size in {str(n) for n in PAGE_SIZES} else PAGE_SIZES[0],
    )
