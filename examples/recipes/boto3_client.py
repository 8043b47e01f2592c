"""USHER_URL=... USHER_TOKEN=... MEETING_ID=... python3 boto3_client.py alice bob  (pip install boto3)"""

import json
import os
import sys

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

client = boto3.client(
    "chime-sdk-meetings",
    # As the deployment prints it, without a slash at the end: with the stage, or the root of a custom domain.
    endpoint_url=os.environ["USHER_URL"],
    region_name="us-east-1",
    config=Config(signature_version=UNSIGNED, retries={"mode": "standard", "total_max_attempts": 6}),
)


def add_token(request, **_):
    """Called before every attempt: the place to get a fresh token."""
    request.headers["Authorization"] = "Bearer " + os.environ["USHER_TOKEN"]


client.meta.events.register("before-send.chime-sdk-meetings.*", add_token)

try:
    answer = client.batch_create_attendee(
        MeetingId=os.environ["MEETING_ID"],
        Attendees=[{"ExternalUserId": name} for name in sys.argv[1:]],
    )
    print(json.dumps({"Attendees": answer["Attendees"], "Errors": answer["Errors"]}))
except client.exceptions.NotFoundException:
    sys.exit("The meeting has ended, or is none of yours.")
except ParamValidationError as error:
    # boto3 checks some of the limits by itself.
    sys.exit(str(error))
except ClientError as error:
    metadata = error.response["ResponseMetadata"]
    sys.exit(f"{type(error).__name__}: {error}\nRequest {metadata['RequestId']}")
