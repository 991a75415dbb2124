"""Writes events.json, eventsv2.json, iam.json, logs.json, sns.json, sqs.json and sts.json: the request shapes and limits of AWS's service models, as they ship in botocore.

    python generate.py PATH/TO/botocore/data

Only what requests are validated against is kept: operation names, members, required ones, lengths, ranges, patterns
and enums, and which values no message may show. A pattern that the regex crate words differently is written a second time under "rust".
"""

import glob
import gzip
import json
import re
import sys
from pathlib import Path

# Operations whose requests are validated; of all others only the name is kept.
BUILT = {
    "events": None,  # every one
    "eventsv2": None,
    "iam": """CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy GetRole GetRolePolicy
        ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags ListRoles
        PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole""".split(),
    "logs": """AssociateKmsKey CreateDelivery CreateLogGroup CreateLogStream DeleteDelivery DeleteDeliveryDestination
        DeleteDeliveryDestinationPolicy DeleteDeliverySource DeleteDestination DeleteLogGroup DeleteLogStream
        DeleteResourcePolicy DeleteRetentionPolicy DeleteSubscriptionFilter DescribeDeliveries
        DescribeDeliveryDestinations DescribeDeliverySources DescribeDestinations DescribeLogGroups DescribeLogStreams
        DescribeResourcePolicies DescribeSubscriptionFilters DisassociateKmsKey FilterLogEvents GetDelivery
        GetDeliveryDestination GetDeliveryDestinationPolicy GetDeliverySource GetLogEvents ListTagsForResource ListTagsLogGroup
        PutDeliveryDestination PutDeliveryDestinationPolicy PutDeliverySource PutDestination PutDestinationPolicy
        PutLogEvents PutLogGroupDeletionProtection PutResourcePolicy PutRetentionPolicy PutSubscriptionFilter
        StartLiveTail TagLogGroup TagResource UntagLogGroup UntagResource""".split(),
    "sns": ["CreateTopic", "DeleteTopic", "GetTopicAttributes", "SetTopicAttributes"],
    "sqs": None,
    "sts": ["GetCallerIdentity", "AssumeRole"],
}
# Enums that AWS's messages list in another order than its model does.
LISTED = {"ApiDestinationHttpMethod": ["HEAD", "POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS"]}
# Enums whose values AWS takes in lower case too.
ANY_CASE = {"ConnectionOAuthHttpMethod"}
CONSTRAINTS = ("min", "max", "pattern", "enum", "sensitive", "union")
# Services whose table is named as their command is, and not as their model.
MODELS = {"eventsv2": "eventbridgev2"}
# Services of the protocol with CBOR: what they give is kept too, for its times and bytes, and with which status they refuse what.
WITH_OUTPUTS = {"eventsv2"}
# SQS judges attribute names itself, by each operation's own list and in its own words.
WITHOUT_ENUMS = {"sqs"}


def rust(pattern):
    """The pattern as the regex crate takes it; Java's \\w and \\d are ASCII."""
    if pattern.removeprefix("^") == r"(?!\s*$).+":
        return r".*[^ \t\r\n].*"
    if pattern.startswith(r"\S([\s\S]*\S)?"):
        return r"\S(.*\S)?"
    if pattern.startswith(r"(\S([\s\S]*\S)?)?"):
        return r"(\S(.*\S)?)?"
    if r"\uD7FF" in pattern:
        return "[\\t\\n\\r\\x{20}-\\x{7E}\\x{85}\\x{A0}-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]+"
    pattern = pattern.replace(r"(?![\s\S]).*", "").replace(r"(?!aws\.)", "").replace(r"\{%[\s\S]+?%\}", r"\{%.+%\}")
    out = re.sub(r"\\u([0-9A-F]{4})", r"\\x{\1}", pattern)
    out = re.sub(r"\\w-_", r"0-9A-Za-z_\\-", out)
    out = out.replace(r"\w", "0-9A-Za-z_").replace(r"[\d]", "[0-9]").replace(r"|\d|", "|[0-9]|")
    out = re.sub(r"(?<!\\)\\d", "[0-9]", out)
    out = out.replace("*+-.", r"*+\-.").replace("~*';", r"~*';")
    return out.replace("[-()_", r"[\-()_").replace("&", r"\&")


def keep(shapes, name, kept, constraints=CONSTRAINTS):
    if name in kept:
        return
    shape = shapes[name]
    slim = {"type": shape["type"]}
    kept[name] = slim
    slim.update({key: shape[key] for key in constraints if key in shape})
    if name in LISTED:
        slim["enum"] = LISTED[name]
    if name in ANY_CASE:
        slim["any_case"] = True
    if "pattern" in slim and rust(slim["pattern"]) != slim["pattern"]:
        slim["rust"] = rust(slim["pattern"])
    if shape["type"] == "structure":
        slim["members"] = {member: to["shape"] for member, to in shape["members"].items()}
        slim["required"] = shape.get("required", [])
        below = slim["members"].values()
    elif shape["type"] == "list":
        slim["of"] = shape["member"]["shape"]
        below = [slim["of"]]
    elif shape["type"] == "map":
        slim["key"], slim["value"] = shape["key"]["shape"], shape["value"]["shape"]
        below = [slim["key"], slim["value"]]
    else:
        below = []
    for each in below:
        keep(shapes, each, kept, constraints)


def main(data):
    for service, built in BUILT.items():
        newest = sorted(glob.glob(f"{data}/{MODELS.get(service, service)}/*/service-2.json.gz"))[-1]
        model = json.loads(gzip.open(newest).read())
        operations, kept, outputs, refusals = {}, {}, {}, {}
        constraints = [each for each in CONSTRAINTS if each != "enum" or service not in WITHOUT_ENUMS]
        for name, operation in sorted(model["operations"].items()):
            wanted = (built is None or name in built) and "input" in operation
            operations[name] = operation["input"]["shape"] if wanted else None
            if wanted:
                keep(model["shapes"], operations[name], kept, constraints)
            if service in WITH_OUTPUTS and "output" in operation:
                outputs[name] = operation["output"]["shape"]
                keep(model["shapes"], outputs[name], kept, constraints)
                refusals[name] = sorted(error["shape"] for error in operation["errors"])
        table = {"operations": operations, "shapes": dict(sorted(kept.items()))}
        if outputs:
            table["outputs"] = outputs
            table["errors"] = {
                name: model["shapes"][name]["error"]["httpStatusCode"] for name in sorted(set().union(*refusals.values()))
            }
            table["refusals"] = refusals
        text = json.dumps(table, indent=1)
        Path(__file__).with_name(f"{service}.json").write_text(text + "\n")


main(sys.argv[1])
