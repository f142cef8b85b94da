"""`tracehound server`: a store behind HTTP. `tracehound ui`: the same, and the browser opens on its page."""

from __future__ import annotations

import dataclasses
import functools
import threading
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import click

from tracehound.cli.options import chosen_settings, store_option
from tracehound.cli.render import print_line
from tracehound.errors import ArgumentError

if TYPE_CHECKING:
    from tracehound.server.serving import Place


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of where a server listens, and for whom, as one argument `place`."""

    @functools.wraps(command)
    def run(
        *,
        host: str,
        port: int,
        certificate: str | None,
        key: str | None,
        allowed_host: tuple[str, ...],
        require_token: bool,
        without_tokens: bool,
        **others: Any,
    ) -> Any:
        from tracehound.server.certificate import check_certificate
        from tracehound.server.serving import Place

        if require_token and without_tokens:
            raise ArgumentError("give either --require-token or --without-tokens")
        place = Place(
            host, port, None, check_certificate(certificate, key), tuple(each.lower() for each in allowed_host),
            needs_token=require_token, is_open=without_tokens,
        )  # fmt: skip
        return command(place=place, **others)

    decorated: Any = run
    for option in reversed(_PLACE_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return] # what was decorated


_PLACE_OPTIONS: Final = (
    click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
    click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one."),
    click.option("--certificate", metavar="FILE", help="Speak HTTPS with this certificate, in PEM."),
    click.option("--key", metavar="FILE", help="The key of the certificate, if it is not in the same file."),
    click.option("--allowed-host", multiple=True, metavar="NAME",
                 help="Answer to this name alone, and to addresses in numbers; may be given again."),
    click.option("--require-token", is_flag=True, help="Let nobody in without a token, though there is none yet."),
    click.option("--without-tokens", is_flag=True, help="Listen on a network though there is no token: DANGEROUS."),
)  # fmt: skip


@click.command("server")
@place_options
@click.option("--grpc-port", type=click.IntRange(0, 65_535), help="Take OTLP/gRPC at this port; usually 4317.")
@store_option
@click.option("--experiment", metavar="NAME", help="Where traces go that name no experiment.")
@click.option("--max-body-mb", default=16.0, show_default=True, type=click.FloatRange(min=0, min_open=True),
              help="How large the body of a request may be, unpacked.")  # fmt: skip
def server(place: Place, grpc_port: int | None, store: str | None, experiment: str | None, max_body_mb: float) -> None:
    """Serve the store: OpenTelemetry and REST come in at one port, until SIGTERM or Ctrl-C.

    As long as there are no tokens (tracehound token create), whoever can reach the port can read and delete everything;
    so it is that of this machine alone.
    """
    from tracehound.server.guard.origins import is_loopback
    from tracehound.server.limits import ServerLimits
    from tracehound.server.serving import run_server

    settings = chosen_settings(store, experiment)
    max_body_bytes = int(max_body_mb * 1_000_000)
    limits = ServerLimits(
        max_body_bytes=max_body_bytes, max_waiting_bytes=max(ServerLimits.max_waiting_bytes, 4 * max_body_bytes)
    )

    def tell(address: str, grpc_address: str | None) -> None:
        print_line(f"Tracehound listens on {address} and keeps traces in {settings.tracking_uri}")
        grpc = "" if grpc_address is None else f"  OTLP/gRPC: {grpc_address}"
        print_line(f"OpenTelemetry: {address}/v1/traces{grpc}  REST: {address}/api/v1/openapi.json  Ctrl-C stops it")
        if place.certificate is None and not is_loopback(place.host):
            print_line(
                "without --certificate tokens and traces can be read on the way, unless something in front speaks HTTPS"
            )

    run_server(settings, dataclasses.replace(place, grpc_port=grpc_port), limits, tell)
    print_line("stopped; everything that was answered for is kept")


@click.command("ui")
@place_options
@click.option("--browser/--no-browser", default=True, help="Whether to open the page in the browser.")
@store_option
@click.option("--experiment", metavar="NAME", help="Show the traces of this one at first.")
def ui(place: Place, browser: bool, store: str | None, experiment: str | None) -> None:  # noqa: FBT001 - click passes it
    """Look at the store in the browser, until Ctrl-C.

    This is a server as `tracehound server` runs it: programs can send their traces to it, too.
    """
    from tracehound.server.limits import ServerLimits
    from tracehound.server.serving import run_server

    settings = chosen_settings(store, experiment)
    chosen = "" if experiment is None else f"?{urlencode({'experiment': experiment})}"

    def tell(address: str, _grpc_address: str | None) -> None:
        print_line(f"Tracehound shows {settings.tracking_uri} at {address}/{chosen}  Ctrl-C stops it")
        if browser:  # a browser of the terminal would keep the server waiting
            threading.Thread(target=webbrowser.open, args=[f"{address}/{chosen}"], daemon=True).start()

    run_server(settings, place, ServerLimits(), tell)
    print_line("stopped; everything that was answered for is kept")
