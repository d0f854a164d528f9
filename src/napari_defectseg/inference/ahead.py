"""What comes next is read while the network computes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def read_ahead(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """Give items in their order, each read in a thread of its own while the one before is used.

    One item at most waits. What reading raises comes where its item would have come. When this
    generator is closed the item that is being read is read to its end, then `items` is closed;
    no thread is left.

    Parameters
    ----------
    items : generator
        Runs in the other thread alone.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="reads-ahead")
    try:
        following: Future[list[T]] = pool.submit(_next, items)
        while item := following.result():
            following = pool.submit(_next, items)
            yield item.pop()
            del item  # else it would be kept while the next one is computed
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        items.close()


def _next(items: Iterator[T]) -> list[T]:
    """Return the next item, alone in a list; an empty one at the end."""
    for item in items:
        return [item]
    return []
