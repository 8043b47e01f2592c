"""Every error class of the contract, as boto3 deserializes it. Optional: nothing else here needs Python.

Beside a running local system (npm start), in the project's folder: python3 test/contract/boto3_errors.py
"""

import json
import os
import subprocess
import sys
import urllib.request
import uuid

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

ABSENT = "3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34"

state = os.environ.get("USHER_LOCAL_DIR", ".local")
with open(os.path.join(state, "environment.json"), encoding="utf8") as file:
    local = json.load(file)


def token(*options):
    command = ["npm", "run", "--silent", "token", "--", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def usher(bearer, attempts=2):
    client = boto3.client(
        "chime-sdk-meetings",
        endpoint_url=local["apiUrl"],
        region_name="us-east-1",
        config=Config(
            signature_version=UNSIGNED,
            parameter_validation=False,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )

    def add_token(request, **_):
        if bearer is not None:
            request.headers["Authorization"] = "Bearer " + bearer

    client.meta.events.register("before-send.chime-sdk-meetings.*", add_token)
    return client


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{local['chimeUrl']}/_emulator/{path}", data, method=method)
    urllib.request.urlopen(request).close()


def new_meeting(**features):
    chime = boto3.client(
        "chime-sdk-meetings",
        endpoint_url=local["chimeUrl"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    answer = chime.create_meeting(
        ClientRequestToken=str(uuid.uuid4()),
        MediaRegion="us-east-1",
        ExternalMeetingId="boto3",
        TenantIds=["acme"],
        **features,
    )
    return answer["Meeting"]["MeetingId"]


def attendees(*names):
    return [{"ExternalUserId": name} for name in names]


backend = token("--sub", "backend", "--scope", "attendees.create")
scopeless = token("--sub", "backend", "--scope", "")
full = {"MeetingFeatures": {"Attendee": {"MaxCount": 1}}}

# Class, status, attempts of a client that may try twice, bearer token, meeting, attendees, what Chime is made to answer.
# boto3 repeats LimitExceededException by its name, as the JavaScript SDK does, and ThrottlingException by its name too.
CASES = [
    ("BadRequestException", 400, 1, backend, new_meeting(), attendees("x"), None),
    ("LimitExceededException", 400, 2, backend, new_meeting(**full), attendees("alice", "bob"), None),
    ("UnauthorizedException", 401, 1, None, new_meeting(), attendees("alice"), None),
    ("ForbiddenException", 403, 1, scopeless, new_meeting(), attendees("alice"), None),
    ("NotFoundException", 404, 1, backend, ABSENT, attendees("alice"), None),
    ("UnprocessableEntityException", 422, 1, backend, new_meeting(), attendees("alice"), "UnprocessableEntityException"),
    ("ThrottlingException", 429, 2, backend, new_meeting(), attendees("alice"), "ThrottlingException"),
    ("ServiceFailureException", 500, 2, backend, new_meeting(), attendees("alice"), "AccessDeniedException"),
    ("ServiceUnavailableException", 503, 2, backend, new_meeting(), attendees("alice"), "ServiceUnavailableException"),
]
STATUS_AT_CHIME = {
    "UnprocessableEntityException": 422,
    "ThrottlingException": 429,
    "AccessDeniedException": 403,
    "ServiceUnavailableException": 503,
}

answer = usher(backend).batch_create_attendee(MeetingId=new_meeting(), Attendees=attendees("alice"))
assert answer["Attendees"][0]["ExternalUserId"] == "alice" and answer["Errors"] == [], answer
print("success")

for name, status, attempts, bearer, meeting, names, fault in CASES:
    if fault is not None:
        error = {"operation": "BatchCreateAttendee", "status": STATUS_AT_CHIME[fault], "errorType": fault}
        control("POST", "faults", error)
    client = usher(bearer)
    try:
        client.batch_create_attendee(MeetingId=meeting, Attendees=names)
        sys.exit(f"{name} was not raised")
    except getattr(client.exceptions, name) as error:
        response = error.response
        metadata = response["ResponseMetadata"]
        assert metadata["HTTPStatusCode"] == status, metadata
        assert metadata["RetryAttempts"] == attempts - 1, (name, metadata)
        assert metadata["RequestId"] == response["RequestId"], response
        assert response["Error"]["Code"] == name and response["Error"]["Message"], response
    except ClientError as error:
        sys.exit(f"{name} came as {type(error).__name__}: {error.response}")
    finally:
        control("DELETE", "faults")
    print(name)
