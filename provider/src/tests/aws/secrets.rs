//! AWS's own answers repeat what was sent: nothing of it is shown.

use serde_json::{Value as Json, json};
use tfplugin::Diagnostics;

use super::fake::{Fake, Trouble};
use super::{SOURCE, on};
use crate::tests::snapshot::scenarios;

scenarios![what_aws_repeats_of_a_request_is_not_shown];

const SESSION: &str = "sE5sessionsessionsession";

/// What AWS answers to a request whose signature it does not accept, in the words of its documentation (AWS Signature
/// Version 4, "Troubleshooting"), and an answer that repeats the token alone.
const ANSWERS: [Trouble; 4] = [
    Trouble::Says(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and \
         signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have \
         been\n'POST\n/\n\ncontent-type:application/x-amz-json-1.1\nhost:events.us-east-1.amazonaws.com\n\
         x-amz-security-token:sE5sessionsessionsession\n\ncontent-type;host;x-amz-security-token\n44136fa355b3678a'\n\n\
         The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20250101T000000Z\n44136fa355b3678a'\n",
    ),
    Trouble::Says(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this \
         request should have been\n'POST\nx-amz-security-token:sE5sessionsessionsession\n44136fa355b3678a'",
    ),
    Trouble::Says(
        "IncompleteSignatureException",
        "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 \
         Credential=AKIDEXAMPLE/20250101/us-east-1/events/aws4_request, Signature=44136fa355b3678a",
    ),
    Trouble::Says(
        "UnrecognizedClientException",
        "The security token 'sE5sessionsessionsession' included in the request is invalid.",
    ),
];

fn check(diags: &Diagnostics) {
    let text = diags.to_string();
    assert!(diags.has_errors());
    for secret in [SESSION, "s3cret", "44136fa355b3678a", "AKIDEXAMPLE", "20250101"] {
        assert!(!text.contains(secret), "{secret} is shown:\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_repeats_of_a_request_is_not_shown() {
    let bus = json!({ "event_source_name": SOURCE });
    let pattern = json!({ "detail-type": ["RunExecuted"] }).to_string();
    let rule = json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern });
    let group = json!({ "name": "/scalr/runs", "create": true });
    let target = json!({ "rule": "runs", "event_bus_name": SOURCE, "log_group": group });
    let cases: [(&str, &str, &Json); 8] = [
        ("bus", "DescribeEventBus", &bus),
        ("bus", "DescribeEventSource", &bus),
        ("bus", "CreateEventBus", &bus),
        ("rule", "DescribeRule", &rule),
        ("rule", "PutRule", &rule),
        ("target", "DescribeLogGroups", &target),
        ("target", "CreateLogGroup", &target),
        ("target", "PutTargets", &target),
    ];
    for (at, answer) in ANSWERS.into_iter().enumerate() {
        // Each call meets one of them, the first all.
        for (name, call, config) in &cases[..if at == 0 { cases.len() } else { 1 }] {
            let fake = Fake::new();
            fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
            let harness = on(fake.config_with_session(SESSION));
            // The target finds its rule.
            if *name == "target" {
                for (name, config) in [("bus", &bus), ("rule", &rule)] {
                    let resource = harness.resource(&format!("scalr_eventbridge_{name}"));
                    resource.create(config.clone()).await.unwrap();
                }
            }
            for _ in 0..200 {
                fake.state().trouble(call, answer.clone());
            }
            let resource = harness.resource(&format!("scalr_eventbridge_{name}"));
            check(&resource.create((*config).clone()).await.unwrap_err());
        }
    }
}
