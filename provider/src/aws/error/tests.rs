//! What each failure may have changed, and its message.

use super::*;
use crate::failure::{Standing, diagnostic};
use crate::tests::snapshot;

fn service(code: &str) -> Error {
    answered("events:PutRule", code)
}

fn no_region() -> Error {
    let said = "Credential should be scoped to a valid region, not 'us-est-1'.";
    match service("InvalidSignatureException") {
        Error::Service(answer) => Error::Service(Service {
            message: said.to_owned(),
            ..answer
        }),
        other => other,
    }
}

fn answered(operation: &'static str, code: &str) -> Error {
    Error::Service(Service {
        operation,
        region: "us-east-1".to_owned(),
        code: code.to_owned(),
        message: "no".to_owned(),
        request_id: Some("r-1".to_owned()),
    })
}

fn incomplete(operation: &'static str, member: &'static str) -> Error {
    Error::Incomplete {
        operation,
        region: "us-east-1".to_owned(),
        member,
    }
}

#[test]
fn what_a_failed_call_may_have_changed() {
    let lost = |operation| Error::Unreachable {
        operation,
        region: "r".to_owned(),
        endpoint: None,
        source: "reset".into(),
    };
    for (error, want) in [
        (incomplete("events:PutRule", "RuleArn"), Effect::Unknown),
        (incomplete("events:DescribeRule", "Arn"), Effect::Refused),
        (service("ValidationException"), Effect::Refused),
        (service("ThrottlingException"), Effect::Refused),
        (service("InternalException"), Effect::Unknown),
        (lost("events:PutRule"), Effect::Unknown),
        (lost("events:DescribeRule"), Effect::Refused),
        (lost("logs:FilterLogEvents"), Effect::Refused),
        (Error::NoRegion { profile: None }, Effect::NotSent),
    ] {
        assert_eq!(error.effect(), want, "{error}");
    }
}

#[test]
fn kinds() {
    assert!(service("ResourceNotFoundException").is_not_found());
    assert!(!service("ValidationException").is_not_found());
    assert!(service("ConcurrentModificationException").is_passing());
    assert!(!service("ValidationException").is_passing());
    assert!(incomplete("events:ListRules", "Rules").is_passing());
}

#[test]
fn every_failure_has_its_message() {
    let texts = failures().map(|error| {
        snapshot::rendered(&diagnostic(
            &error,
            "make the thing `x`",
            &Standing::of::<Error>(),
        ))
    });
    snapshot::check("aws_errors.txt", texts);
}

/// Only a limit that can be raised has the advice to raise it.
#[test]
fn limits_that_are_fixed_are_said_to_be() {
    for (operation, raises) in [
        ("events:PutRule", true),
        ("events:CreateEventBus", true),
        ("logs:CreateLogGroup", true),
        ("events:PutTargets", false),
        ("logs:PutResourcePolicy", false),
        ("events:TagResource", false),
        ("logs:TagResource", false),
    ] {
        let next = answered(operation, "LimitExceededException").next().unwrap();
        assert_eq!(next.contains("Service Quotas"), raises, "{operation}: {next}");
        assert_eq!(
            next.contains("no quota raises that"),
            !raises,
            "{operation}: {next}"
        );
    }
}

/// Only a connection that failed is "Cannot reach AWS".
#[test]
fn a_title_says_what_failed() {
    for error in failures() {
        let title = error.what("reach AWS");
        let lacks_what_calls_need = error.effect() == Effect::NotSent;
        assert_eq!(title != "Cannot reach AWS", lacks_what_calls_need, "{error}");
    }
}

/// One of each kind.
fn failures() -> impl Iterator<Item = Error> {
    let profile = || Some("ci".to_owned());
    let lost = |operation, endpoint: Option<&str>| Error::Unreachable {
        operation,
        region: "us-east-1".to_owned(),
        endpoint: endpoint.map(str::to_owned),
        source: "reset".into(),
    };
    let none = |profile, role: Option<&str>| Error::NoCredentials {
        profile,
        role: role.map(str::to_owned),
        source: "no keys".into(),
    };
    let stopped = |why| Error::Stopped {
        what: "`events:ListRules` in us-east-1".to_owned(),
        why,
    };
    let codes = [
        "ValidationException",
        "AccessDeniedException",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "LimitExceededException",
        "UnknownOperationException",
        "InternalException",
    ];
    let limited = answered("events:PutTargets", "LimitExceededException");
    codes.map(service).into_iter().chain([
        limited,
        no_region(),
        Error::NoRegion { profile: None },
        Error::NoRegion { profile: profile() },
        none(None, None),
        none(None, Some("arn:r")),
        none(profile(), None),
        Error::NoSuchProfile {
            profile: "ci".to_owned(),
            origin: "`AWS_PROFILE`",
            files: vec!["`/a`".to_owned(), "`/b` (not there)".to_owned()],
        },
        Error::NotAssumed {
            role: "arn:r".to_owned(),
            source: Box::new(
                ErrorMetadata::builder()
                    .code("AccessDenied")
                    .message("You may not")
                    .build(),
            ),
        },
        Error::NotAssumed {
            role: "arn:r".to_owned(),
            source: "no answer".into(),
        },
        Error::WrongAccount {
            account: "123456789012".to_owned(),
            allowed: vec!["210987654321".to_owned(), "310987654321".to_owned()],
        },
        lost("events:PutRule", None),
        lost("events:DescribeRule", Some("http://127.0.0.1:9")),
        incomplete("events:ListRules", "Rules"),
        stopped(Stop::Interrupted),
        stopped(Stop::TooLate),
        Error::Endless {
            operation: "events:ListRules",
            region: "us-east-1".to_owned(),
            pages: 50,
        },
    ])
}
