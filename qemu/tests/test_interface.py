# SPDX-License-Identifier: GPL-2.0
"""A module and programs of other versions, whose structures are shorter or longer."""

import json
from typing import Any

from harness import paths
from harness.cases.loaders import Answer
from harness.guest.guest import Guest
from harness.testing import in_guest


async def refuse(guest: Guest, errno: str, fact: str, *arguments: str) -> None:
    """A refusal that leaves the module as it was."""
    before = await guest.status()
    answer = Answer.of(await guest.run("device-request", *arguments))
    assert answer.errno == errno, answer
    assert fact in answer.sentence, answer
    assert await guest.status() == before


async def status(guest: Guest, *arguments: str) -> dict[str, Any]:
    """The module's answer to a program of another version."""
    answer = (await guest.run("device-request", "status", *arguments)).check()
    fields: dict[str, Any] = json.loads(answer.stdout)
    return fields


@in_guest()
async def test_structures_of_other_versions(guest: Guest) -> None:
    load = ("load", paths.GUEST_KERNEL)
    await guest.load()
    # A later version's request means the same to us, until it uses what we do not know.
    newer, nothing = ("--longer=24",), "without a sentence"
    for request in (load, ("unload",)):
        await refuse(guest, "E2BIG", "too old", *request, *newer, "--beyond=1")
        await refuse(guest, "E2BIG", nothing, *request, "--longer=4096")
        # Shorter than the first version.
        await refuse(guest, "EINVAL", nothing, *request, "--shorter=8")
    (await guest.run("device-request", *load, *newer)).check()
    (await guest.run("device-request", "unload", *newer)).check()
    assert not (await guest.status()).armed
    (await guest.run("device-request", *load)).check()

    ours = await status(guest)
    assert (ours["size"], ours["armed"]) == (ours["ours"], 1)
    # An earlier version gets what it knows.
    older = await status(guest, "--shorter=8")
    assert older == {**ours, "size": ours["ours"] - 8}
    # Fields of a later version beyond ours are filled with zeros, and not counted in the size.
    assert await status(guest, "--longer=200", "--beyond=255") == ours
    await refuse(guest, "EINVAL", nothing, "status", "--shorter=1024")
    await refuse(guest, "E2BIG", nothing, "status", "--longer=4096")
