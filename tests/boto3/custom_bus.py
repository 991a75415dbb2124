"""A partner's event from its source over a custom event bus to a queue, by AWS's SDK for Python, whose answers are parsed by
AWS's own model. Arguments: the partner's account and the customer's. The endpoint is in AWS_ENDPOINT_URL.

The two accounts are told apart by their access keys, as the local AWS does. Exits with the first thing that is not so.
"""

import datetime
import json
import sys

import boto3
from botocore.config import Config

REGION = "us-east-1"
SOURCE = "aws.partner/example.com/python/one"
ROLE = "arn:aws:iam::{}:role/deliver"


def client(service, account, **config):
    keys = {"aws_access_key_id": account, "aws_secret_access_key": "not-checked"}
    return boto3.client(service, region_name=REGION, config=Config(**config), **keys)


def refused(error, call, **members):
    """The call is refused with this class of the client's, and its status is the model's."""
    shape = v2.meta.service_model.shape_for_error_code(error)
    try:
        call(**members)
    except getattr(v2.exceptions, error) as problem:
        status = problem.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status == shape.metadata["error"]["httpStatusCode"], (error, status)
        assert problem.response["Error"]["Message"], error
        return
    raise AssertionError(f"{call.__name__} {members} was not refused")


def bus():
    made = v2.create_event_bus(Name="python", StorageConfiguration={"RetentionPeriodInDays": 7}, Tags={"team": "platform"})
    arn = made["EventBusArn"]
    assert made["State"] == "CREATING", made
    assert isinstance(made["CreationTime"], datetime.datetime), made
    entry = {"Source": "s", "DetailType": "t"}
    refused("InvalidStateException", v2.put_events, EventBusArn=arn, Entries=[entry])
    v2.get_waiter("event_bus_active").wait(EventBusArn=arn)
    refused("ResourceAlreadyExistsException", v2.create_event_bus, Name="python")
    refused("ResourceNotFoundException", v2.describe_event_bus, EventBusArn=arn.replace("/python/", "/other/"))
    refused("AccessDeniedException", v2.describe_event_bus, EventBusArn=arn.replace(customer, partner))
    refused("InvalidInputException", v2.create_event_bus, Name="a/b")
    refused("PublicPolicyException", v2.put_resource_policy, ResourceArn=arn, PolicyDocument=json.dumps(public(arn)))
    pages = v2.get_paginator("list_event_buses").paginate(PaginationConfig={"PageSize": 1})
    assert [one["Name"] for page in pages for one in page["EventBuses"]] == ["python"]
    return arn


def public(arn):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": arn}
    return {"Version": "2012-10-17", "Statement": [statement]}


def subscribe(arn, queue):
    made = v2.create_subscriber(
        Name="python",
        EventBusArn=arn,
        InvokeConfiguration={"TargetArn": queue, "RoleArn": ROLE.format(customer), "SqsParameters": {}},
        FilterConfiguration={"Filters": [{"Scope": "DATA", "Pattern": json.dumps({"detail-type": ["RunExecuted"]})}]},
        Transformer={"Type": "WITH_METADATA"},
    )
    # The client tries that again by itself since its model says so, but by default for a tenth of a second only.
    once = client("eventbridgev2", customer, retries={"total_max_attempts": 1})
    refused("ConcurrentModificationException", once.delete_subscriber, SubscriberArn=made["SubscriberArn"])
    found = v2.describe_subscriber(SubscriberArn=made["SubscriberArn"])
    assert found["RetryPolicy"] == {"MaxRetryAttempts": 5, "MaxEventAgeInSeconds": 300, "RetryStrategy": "ALL"}, found
    return made["SubscriberArn"]


def received(url, count):
    """The bodies of so many messages, in the order of their events."""
    found = []
    while len(found) < count:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages")
        assert messages, f"{len(found)} of {count} messages"
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
    return sorted(found, key=lambda body: body["SystemMetadata"]["aws:SequenceNumber"])


def events(arn, url):
    offered = client("events", partner)
    detail = json.dumps({"event": {"run-id": "run-1", "duration": 137000000000.0}})
    put = offered.put_partner_events(Entries=[{"Source": SOURCE, "DetailType": "RunExecuted", "Detail": detail}])
    assert put["FailedEntryCount"] == 0, put
    whole = datetime.datetime(2026, 9, 30, 12, 0, 5, tzinfo=datetime.timezone.utc)
    times = [whole, whole.replace(microsecond=250000)]
    entries = [{"Source": "python", "DetailType": "RunExecuted", "Detail": json.dumps({"n": n}), "Time": time} for n, time in enumerate(times)]
    put = v2.put_events(EventBusArn=arn, Entries=[*entries, {"Source": "aws.x", "DetailType": "RunExecuted"}])
    codes = [entry.get("SuccessCode") or entry["ErrorCode"] for entry in put["Entries"]]
    assert codes == ["PUBLISHED", "PUBLISHED", "VALIDATION_ERROR"], put
    raw = json.dumps({"detail-type": "RunExecuted", "id": "run-2"}).encode()
    put = v2.put_raw_events(
        EventBusArn=arn,
        Entries=[{"Data": raw, "SystemMetadata": {"ContentType": "application/json"}, "Metadata": {"who": "python"}}],
    )
    bodies = received(url, 4)
    assert bodies[0]["Data"]["detail"]["event"]["run-id"] == "run-1", bodies
    assert bodies[0]["SystemMetadata"]["aws:Source"] == SOURCE, bodies
    assert [body["Data"]["time"] for body in bodies[1:3]] == ["2026-09-30T12:00:05Z"] * 2, bodies
    assert bodies[3]["Data"] == json.loads(raw) and bodies[3]["Metadata"] == {"who": "python"}, bodies
    assert bodies[3]["SystemMetadata"]["aws:EventId"] == put["Entries"][0]["EventId"], bodies


def main():
    url = sqs.create_queue(QueueName="python")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("events", partner).create_partner_event_source(Name=SOURCE, Account=customer)
    arn = bus()
    subscriber = subscribe(arn, queue)
    partners = {"PartnerEventSourceArn": f"arn:aws:events:{REGION}::event-source/{SOURCE}"}
    asked = {"Name": "python", "EventBusArn": arn, "Configuration": {"PartnerEventsConfiguration": partners}}
    source = v2.create_event_source(**asked)["EventSourceArn"]
    refused("InvalidStateException", v2.create_event_source, **{**asked, "Name": "other"})
    events(arn, url)
    refused("ResourceInUseException", v2.delete_event_bus, EventBusArn=arn)
    v2.delete_event_source(EventSourceArn=source)
    v2.delete_subscriber(SubscriberArn=subscriber)
    v2.delete_event_bus(EventBusArn=arn)
    v2.get_waiter("event_bus_deleted").wait(EventBusArn=arn)
    print(f"boto3 {boto3.__version__}: custom event bus, event source, subscriber and queue")


partner, customer = sys.argv[1:]
v2, sqs = client("eventbridgev2", customer, retries={"total_max_attempts": 10}), client("sqs", customer)
main()
