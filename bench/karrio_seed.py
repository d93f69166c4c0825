"""Runs in karrio's environment, on a migrated database: a user with a token, and its trackers.

Reads a tracker as EasyPost sends it and prints one JSON line: the token and the trackers' ids.
"""

from __future__ import annotations

import json
import os
import sys

import django

TRACKERS = 2_000


def main() -> None:
    """Make the user and the trackers."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karrio.server.settings")
    django.setup()
    from django.contrib.auth import get_user_model
    from karrio.server.manager.models import Tracking
    from karrio.server.user.models import Token

    told = json.loads(sys.stdin.read())
    user = get_user_model().objects.create_superuser("bench@mail.example", "a-password-for-it")
    token = Token.objects.create(user=user, test_mode=False)
    made = Tracking.all_objects.bulk_create(
        Tracking(
            tracking_number=f"9400110898825{n:09}",
            status="in_transit",
            test_mode=False,
            created_by=user,
            events=[_event(each) for each in told["tracking_details"]],
            carrier={
                "carrier_code": "easypost",
                "carrier_name": "easypost",
                "carrier_id": "easypost",
                "connection_id": "car_0",
                "connection_type": "account",
                "test_mode": False,
            },
        )
        for n in range(TRACKERS)
    )
    print(json.dumps({"token": token.key, "ids": [each.id for each in made]}))


def _event(told: dict[str, object]) -> dict[str, object]:
    at = str(told["datetime"])
    return {
        "date": at[:10],
        "time": at[11:16],
        "timestamp": at,
        "code": told["status"],
        "status": told["status"],
        "description": told["message"],
        "location": "TOWN, TX, US",
    }


if __name__ == "__main__":
    main()
