"""The files for a cluster say the same as each other, and what we need. They are not run here."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from tracehound.store.clickhouse.address import parse_address
from tracehound.store.clickhouse.oldest import OLDEST

FOLDER = Path(__file__).parents[2] / "deploy" / "clickhouse"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
CLUSTER = ElementTree.parse(FOLDER / "cluster.xml").getroot()
SERVERS = {name: each for name, each in COMPOSE["services"].items() if "SHARD" in each.get("environment", {})}


def test_each_server_of_the_cluster_runs_as_the_replica_that_it_is() -> None:
    told = {
        str(host.text): {"SHARD": str(number), "REPLICA": str(place)}
        for number, shard in enumerate(CLUSTER.findall("remote_servers/main/shard"), start=1)
        for place, host in enumerate(shard.findall("replica/host"), start=1)
    }
    assert len(told) == 4
    for name, server in SERVERS.items():
        assert server["environment"].items() >= told[name].items()
    assert told.keys() == SERVERS.keys()
    assert all(each.text == "true" for each in CLUSTER.findall("remote_servers/main/shard/internal_replication"))


def test_the_address_that_the_file_names_is_of_this_cluster() -> None:
    first = (FOLDER / "compose.yaml").read_text("utf-8").splitlines()[1].partition("Then: ")[2]
    address = parse_address(first)
    assert CLUSTER.find(f"remote_servers/{address.cluster}") is not None
    assert f"127.0.0.1:{address.port}:8123" in SERVERS["shard1-replica1"]["ports"]


def test_all_run_a_version_that_has_what_we_need_and_keep_what_they_have() -> None:
    for name, service in COMPOSE["services"].items():
        version = tuple(int(each) for each in service["image"].partition(":")[2].split("."))
        assert version >= OLDEST
        kept = {each.partition(":")[0] for each in service["volumes"]}
        assert name in kept
        assert all((FOLDER / each).is_file() for each in kept if each.startswith("./"))
    assert set(COMPOSE["volumes"]) == set(COMPOSE["services"])


def test_the_keeper_answers_where_the_servers_look_for_it() -> None:
    keeper = ElementTree.parse(FOLDER / "keeper.xml").getroot()
    assert CLUSTER.findtext("zookeeper/node/host") in COMPOSE["services"]
    assert CLUSTER.findtext("zookeeper/node/port") == keeper.findtext("keeper_server/tcp_port")
