"""A function that a route holds already: `@trace` above `@app.post(…)`, as MLflow's documents write it.

Starlette and FastAPI have then registered the plain function, and requests would pass the traced one by. So those of
their objects that hold the plain one are given the traced one: routes, what FastAPI knows of their parameters
(`Dependant`), dependencies, and the handlers that were built of them. Nothing else that holds the function is touched.

Where the decorator stands in the program the route is found through the routers that can be seen from there. Only for a
function that somebody holds and that is not found so, or that had its name already, all objects of the process are
looked through, which takes tens of milliseconds in a large program. A function may be made and traced in every request:
so that is done a few times for each place in the code, and no more.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any, Final
from weakref import WeakKeyDictionary

from tracehound.capture.shield import report_fault

_FRAMEWORKS: Final = ("starlette", "fastapi")
_OURS: Final = __name__.partition(".")[0]
# Whether a class is one of the frameworks, or derived from one.
_known: Final[WeakKeyDictionary[type, bool]] = WeakKeyDictionary()
_MAX_LOOKS: Final = 8
_looks: Final[WeakKeyDictionary[CodeType, int]] = WeakKeyDictionary()


def count_holders(func: object) -> int:
    """Return a number that is larger for a function that is held by more than the call of its decorator."""
    return sys.getrefcount(func)


def follow_routes(func: Any, traced: Any, *, is_held: bool) -> None:
    """Give the traced function to the routes that hold the plain one, if any do.

    `is_held` says whether it had more holders than `UNHELD` when its decorator was called.
    """
    if "starlette.routing" not in sys.modules or not isinstance(func, FunctionType):
        return
    try:
        _tell_types(func, traced)
        if is_held and not _is_ours(func.__globals__):  # of what is traced already requests are traced
            _follow(func, traced)
    except Exception as fault:  # noqa: BLE001 - the shield; the function is traced where it is called by its name
        report_fault("routes", fault)


def _tell_types(func: FunctionType, traced: Any) -> None:
    """Resolve annotations that are texts: FastAPI looked them up where the wrapper stands, once."""
    with contextlib.suppress(Exception):  # what is not defined yet stays as it is
        if any(isinstance(each, str) for each in func.__annotations__.values()):
            traced.__signature__ = inspect.signature(func, eval_str=True)


def _follow(func: FunctionType, traced: Any) -> None:
    frame = _frame_of_user()
    is_found = False
    for route in () if frame is None else _routes_seen_from(frame):
        if getattr(route, "endpoint", None) is func:
            _rebind(route, func, traced)
            is_found = True
    looks = _looks.get(func.__code__, 0)
    if looks < _MAX_LOOKS and (not is_found or frame is None or frame.f_locals.get(func.__name__) is func):
        _looks[func.__code__] = looks + 1
        for holder in _holders(func):
            _rebind(holder, func, traced)


def _frame_of_user() -> FrameType | None:
    """Return the frame that decorates."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and _is_ours(frame.f_globals):
        frame = frame.f_back
    return frame


def _is_ours(variables: dict[str, Any]) -> bool:
    return str(variables.get("__name__")).partition(".")[0] == _OURS


def _routes_seen_from(frame: FrameType) -> Iterator[Any]:
    """Yield the routes of the applications and the routers that have a name there."""
    for value in (*frame.f_globals.values(), *frame.f_locals.values()):
        if _is_known(type(value)):
            routes = getattr(value, "routes", None)
            yield from routes if isinstance(routes, list) else ()


def _holders(func: FunctionType) -> Iterator[Any]:
    """Yield the objects of the frameworks that hold the function in an attribute."""
    dictionaries = []
    for referrer in gc.get_referrers(func):
        if _is_known(type(referrer)):
            yield referrer
        elif type(referrer) is dict and referrer is not func.__globals__:
            dictionaries.append(referrer)
    # Attributes stand in a dictionary of their own, once anybody has asked for that.
    numbers = {id(each) for each in dictionaries}
    for owner in gc.get_referrers(*dictionaries) if dictionaries else ():
        if _is_known(type(owner)) and id(getattr(owner, "__dict__", None)) in numbers:
            yield owner


def _is_known(kind: type) -> bool:
    """Whether a class is one of the frameworks, or derived from one."""
    known = _known.get(kind)
    if known is None:
        modules = [str(getattr(each, "__module__", "")).partition(".")[0] for each in kind.__mro__]
        known = _known[kind] = any(each in _FRAMEWORKS for each in modules)
    return known


def _rebind(holder: Any, func: Any, traced: Any) -> None:
    """Give the traced function to an object, and to what FastAPI and Starlette have built for it when it is a route."""
    for name in _attributes(holder):
        value = getattr(holder, name, None)
        if value is func:
            object.__setattr__(holder, name, traced)  # some are frozen
        elif type(value) is tuple:  # the key under which FastAPI keeps the result of a dependency for one request
            object.__setattr__(holder, name, _exchanged(value, func, traced))
        elif name == "dependant":
            _rebind(value, func, traced)
        elif name == "app":
            _rebind_handler(value, func, traced)


def _exchanged(values: tuple[Any, ...], func: Any, traced: Any) -> tuple[Any, ...]:
    return tuple(traced if each is func else each for each in values)


def _attributes(holder: Any) -> list[str]:
    slots = [getattr(each, "__slots__", ()) for each in type(holder).__mro__]
    return [*getattr(holder, "__dict__", ()), *(name for each in slots for name in _as_names(each))]


def _as_names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _rebind_handler(app: Any, func: Any, traced: Any) -> None:
    """Give the traced function to the closures that a route was built of, below the middleware around them."""
    waiting, seen = [app], set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, FunctionType):
            if item.__module__.partition(".")[0] in _FRAMEWORKS:
                waiting.extend(_rebind_cells(item, func, traced))
        elif isinstance(item, functools.partial):
            if item.func is not func:  # Starlette's, which calls the function in a thread
                arguments = _exchanged(item.args, func, traced)
                state = (item.func, arguments, item.keywords, item.__dict__)
                item.__setstate__(state)  # type: ignore[attr-defined] # documented with pickling only
        else:
            waiting.append(getattr(item, "__dict__", {}).get("app"))


def _rebind_cells(closure: FunctionType, func: Any, traced: Any) -> Iterator[Any]:
    """Give the traced function to the variables of a closure; yield the others."""
    for cell in closure.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not set yet
            continue
        if value is func:
            cell.cell_contents = traced
        else:
            yield value


def _count_unheld(*, has_options: bool) -> int:
    """Return what `count_holders` gives, called as the decorator calls it, for a function that nobody else holds."""

    def trace(func: Callable[[], None] | None = None) -> Any:
        def wrap(function: Callable[[], None]) -> int:
            return count_holders(function)

        return wrap if func is None else wrap(func)

    count: int = trace()(lambda: None) if has_options else trace(lambda: None)
    return count


# By whether the decorator has options, and so is called twice.
UNHELD: Final = {has_options: _count_unheld(has_options=has_options) for has_options in (False, True)}
