"""Sends one message as Python applications do: requests, with json=.

Usage: PANELSMS_URL=http://127.0.0.1:7670 python client.py '{"to": "+1222333444", "message": "Hello"}'
"""

import json
import os
import sys

import requests


def send_sms(session: requests.Session, **sms: str) -> requests.Response:
    """Post one message, and return the answer."""
    answer = session.post(
        f"{os.environ['PANELSMS_URL']}/sendMtSms.php",
        json={"user": "you@example.com", "apiKey": "secret", **sms},
        timeout=20,
    )
    answer.raise_for_status()
    return answer


with requests.Session() as session:
    answer = send_sms(session, **json.loads(sys.argv[1]))
    print(answer.text)
    try:
        print(answer.json()["response"]["transactionId"])
    except requests.JSONDecodeError:
        print("refused")
