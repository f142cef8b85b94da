"""`tracehound server`: a store behind HTTP. `tracehound ui`: the same, and the browser opens on its page."""

from __future__ import annotations

import threading
import webbrowser
from urllib.parse import urlencode

import click

from tracehound.cli.options import chosen_settings, store_option
from tracehound.cli.render import print_line


@click.command("server")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@click.option("--grpc-port", type=click.IntRange(0, 65_535), help="Take OTLP/gRPC at this port; usually 4317.")
@store_option
@click.option("--experiment", metavar="NAME", help="Where traces go that name no experiment.")
@click.option("--max-body-mb", default=16.0, show_default=True, type=click.FloatRange(min=0, min_open=True),
              help="How large the body of a request may be, unpacked.")  # fmt: skip
def server(
    host: str, port: int, grpc_port: int | None, store: str | None, experiment: str | None, max_body_mb: float
) -> None:
    """Serve the store: OpenTelemetry and REST come in at one port, until SIGTERM or Ctrl-C.

    Whoever can reach the port can read and write everything: leave it on 127.0.0.1 unless something guards it.
    """
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

    run_server(settings, host, port, limits, tell, grpc_port)
    print_line("stopped; everything that was answered for is kept")


@click.command("ui")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@click.option("--browser/--no-browser", default=True, help="Whether to open the page in the browser.")
@store_option
@click.option("--experiment", metavar="NAME", help="Show the traces of this one at first.")
def ui(host: str, port: int, browser: bool, store: str | None, experiment: str | None) -> None:  # noqa: FBT001
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

    run_server(settings, host, port, ServerLimits(), tell, None)
    print_line("stopped; everything that was answered for is kept")
