//! What each failure is told as.

use super::*;

fn check(error: &Error, parts: &[&str]) {
    let text = error.detail(&Standing::default());
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

fn service(code: &str) -> Error {
    Error::Service(Service {
        operation: "events:PutRule",
        region: "us-east-1".to_owned(),
        code: code.to_owned(),
        message: "no".to_owned(),
        request_id: Some("r-1".to_owned()),
    })
}

#[test]
fn an_answer_is_told_with_call_region_code_and_request() {
    check(
        &service("ValidationException"),
        &[
            "`events:PutRule` in us-east-1 answered ValidationException: no (request r-1).\n\nThe call changed nothing.",
        ],
    );
    check(
        &service("AccessDeniedException"),
        &["IAM permission `events:PutRule`"],
    );
    check(&service("ExpiredTokenException"), &["aws sso login"]);
}

#[test]
fn what_was_tried_is_named() {
    check(
        &Error::NoRegion { profile: None },
        &["AWS_REGION", "AWS_DEFAULT_REGION", "`aws`", "AWS_PROFILE"],
    );
    check(
        &Error::NoRegion {
            profile: Some("ci".to_owned()),
        },
        &["the profile `ci`"],
    );
    let none = Error::NoCredentials {
        profile: None,
        role: Some("arn:r".to_owned()),
        source: "nothing there".into(),
    };
    check(
        &none,
        &["AWS_ACCESS_KEY_ID", "nothing there", "role `arn:r`", "profile"],
    );
}

#[test]
fn a_written_profile_is_the_only_place() {
    let none = Error::NoCredentials {
        profile: Some("ci".to_owned()),
        role: None,
        source: "no keys".into(),
    };
    check(&none, &["in the profile `ci`", "no keys"]);
    assert!(!none.to_string().contains("AWS_ACCESS_KEY_ID"), "{none}");
    let missing = Error::NoSuchProfile {
        profile: "ci".to_owned(),
        origin: "`AWS_PROFILE`",
        files: vec!["`/a`".to_owned(), "`/b` (not there)".to_owned()],
    };
    check(
        &missing,
        &[
            "no such profile as `ci`, which `AWS_PROFILE` names",
            "in `/a` and `/b` (not there).\n",
        ],
    );
}

#[test]
fn a_role_that_is_refused_does_not_blame_the_credentials() {
    let meta = ErrorMetadata::builder()
        .code("AccessDenied")
        .message("You may not")
        .build();
    let refused = Error::NotAssumed {
        role: "arn:r".to_owned(),
        source: Box::new(meta),
    };
    check(
        &refused,
        &[
            "role `arn:r` could not be assumed",
            "answered AccessDenied: You may not.\n",
            "trust policy",
        ],
    );
    assert!(!refused.to_string().contains("No usable"), "{refused}");
}

#[test]
fn long_messages_are_cut() {
    let long = format!("begin {} end", "é".repeat(4_000));
    let text = cut(&long);
    assert!(
        text.starts_with("begin é") && text.ends_with("é end") && text.contains('…'),
        "{text}"
    );
    assert_eq!(text.chars().count(), 603);
    assert_eq!(cut("short"), "short");
}

#[test]
fn causes_are_said_once_and_where_the_call_went() {
    let cause = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "refused");
    let none = |endpoint: Option<&str>| Error::Unreachable {
        operation: "events:PutRule",
        region: "r".to_owned(),
        endpoint: endpoint.map(str::to_owned),
        source: Box::new(std::io::Error::other(Box::<dyn StdError + Send + Sync>::from(
            cause.to_string(),
        ))),
    };
    check(
        &none(Some("http://127.0.0.1:9")),
        &["in r at http://127.0.0.1:9 got no answer: refused.\n\nWhether AWS carried"],
    );
    check(&none(None), &["in r got no answer: refused.\n"]);
}

#[test]
fn how_things_stand() {
    let standing = Standing::new("No.", "Perhaps.").and("More.");
    let lost = |operation| Error::Unreachable {
        operation,
        region: "r".to_owned(),
        endpoint: None,
        source: "reset".into(),
    };
    for (error, want) in [
        (service("ValidationException"), "No. More."),
        (service("ThrottlingException"), "No. More."),
        (service("InternalException"), "Perhaps. More."),
        (lost("events:PutRule"), "Perhaps. More."),
        (lost("events:DescribeRule"), "No. More."),
        (lost("logs:FilterLogEvents"), "No. More."),
        (Error::NoRegion { profile: None }, "Nothing was changed."),
    ] {
        let detail = error.detail(&standing);
        assert!(detail.contains(&format!(".\n\n{want}")), "{detail}");
    }
}

#[test]
fn kinds() {
    assert!(service("ResourceNotFoundException").is_not_found());
    assert!(!service("ValidationException").is_not_found());
    assert!(service("ConcurrentModificationException").is_passing());
    assert!(!service("ValidationException").is_passing());
}

#[test]
fn every_failure_is_told_as_committed() {
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
    let answered = [
        "ValidationException",
        "AccessDeniedException",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "LimitExceededException",
        "UnknownOperationException",
        "InternalException",
    ];
    let errors = answered.map(service).into_iter().chain([
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
        stopped(Stop::Interrupted),
        stopped(Stop::TooLate),
        Error::Endless {
            operation: "events:ListRules",
            region: "us-east-1".to_owned(),
            pages: 50,
        },
    ]);
    let texts =
        errors.map(|error| crate::tests::snapshot::rendered(&error.diagnostic("cannot make the thing `x`")));
    crate::tests::snapshot::check("aws_errors.txt", texts);
}
