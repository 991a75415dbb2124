//! Roles over the query protocol: their life, what is refused, and what they mean for deliveries.

use aws_local::{Config, UnknownRoles};
use serde_json::json;

use crate::client::{CUSTOMER, Local, PARTNER, REGION};
use crate::query::{element, encoded, query};

const NAMESPACE: &str = "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const SEND: &str = r#"{"Statement":{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}}"#;

async fn iam(local: &Local, key: &str, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
    let members = members
        .iter()
        .map(|(name, value)| format!("&{name}={}", encoded(value)));
    let form = format!(
        "Action={operation}&Version=2010-05-08{}",
        members.collect::<String>()
    );
    let (status, xml) = query(local, key, &form).await;
    assert!(xml.contains(NAMESPACE), "{xml}");
    (status, xml)
}

async fn ok(local: &Local, operation: &str, members: &[(&str, &str)]) -> String {
    let (status, xml) = iam(local, CUSTOMER, operation, members).await;
    assert_eq!(status, 200, "{operation} {members:?} {xml}");
    xml
}

const R: (&str, &str) = ("RoleName", "deliver");
const P: (&str, &str) = ("PolicyName", "send");

fn document(text: &str) -> (&'static str, &str) {
    ("PolicyDocument", text)
}

/// A role that EventBridge may assume, for one action on one resource.
pub(crate) async fn role_for(local: &Local, name: &str, action: &str, resource: &str) -> String {
    let role = ("RoleName", name);
    ok(local, "CreateRole", &[role, ("AssumeRolePolicyDocument", TRUST)]).await;
    let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let policy = json!({ "Statement": statement }).to_string();
    ok(local, "PutRolePolicy", &[role, P, ("PolicyDocument", &policy)]).await;
    format!("arn:aws:iam::{CUSTOMER}:role/{name}")
}

async fn with_role() -> Local {
    let local = Local::start(Config::default()).await;
    let trust = ("AssumeRolePolicyDocument", TRUST);
    ok(
        &local,
        "CreateRole",
        &[R, trust, ("Path", "/scalr/"), ("Description", "d")],
    )
    .await;
    ok(&local, "PutRolePolicy", &[R, P, ("PolicyDocument", SEND)]).await;
    local
}

#[tokio::test]
async fn a_role_lives_as_terraform_expects_it() {
    let local = with_role().await;
    let role = ok(&local, "GetRole", &[R]).await;
    assert_eq!(
        element(&role, "Arn"),
        format!("arn:aws:iam::{CUSTOMER}:role/scalr/deliver")
    );
    assert_eq!(element(&role, "AssumeRolePolicyDocument"), encoded(TRUST));
    assert_eq!(element(&role, "MaxSessionDuration"), "3600");
    let id = element(&role, "RoleId");
    assert_eq!((id.len(), &id[..4]), (21, "AROA"), "{role}");
    // Nobody else's.
    assert_eq!(iam(&local, PARTNER, "GetRole", &[R]).await.0, 404);

    let tags = [R, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "x")];
    ok(&local, "TagRole", &tags).await;
    let role = ok(&local, "GetRole", &[R]).await;
    assert!(
        role.contains("<Tags><member><Key>team</Key><Value>x</Value></member></Tags>"),
        "{role}"
    );
    ok(&local, "UntagRole", &[R, ("TagKeys.member.1", "team")]).await;
    assert!(ok(&local, "ListRoleTags", &[R]).await.contains("<Tags></Tags>"));

    let changed = ok(
        &local,
        "UpdateRole",
        &[R, ("Description", "other"), ("MaxSessionDuration", "7200")],
    )
    .await;
    // SDKs want the element, though it is empty.
    assert!(
        changed.contains("<UpdateRoleResult></UpdateRoleResult>"),
        "{changed}"
    );
    ok(
        &local,
        "UpdateAssumeRolePolicy",
        &[R, ("PolicyDocument", &TRUST.replace("events", "scheduler"))],
    )
    .await;
    let role = ok(&local, "GetRole", &[R]).await;
    assert_eq!(element(&role, "Description"), "other");
    assert!(
        element(&role, "AssumeRolePolicyDocument").contains("scheduler"),
        "{role}"
    );

    let policy = ok(&local, "GetRolePolicy", &[R, P]).await;
    assert_eq!(element(&policy, "PolicyDocument"), encoded(SEND));
    for (operation, shown) in [
        (
            "ListRolePolicies",
            "<PolicyNames><member>send</member></PolicyNames>",
        ),
        (
            "ListAttachedRolePolicies",
            "<AttachedPolicies></AttachedPolicies>",
        ),
        (
            "ListInstanceProfilesForRole",
            "<InstanceProfiles></InstanceProfiles>",
        ),
    ] {
        let xml = ok(&local, operation, &[R]).await;
        assert!(xml.contains(shown), "{operation} {xml}");
    }
    ok(&local, "DeleteRolePolicy", &[R, P]).await;
    ok(&local, "DeleteRole", &[R]).await;
    assert_eq!(iam(&local, CUSTOMER, "GetRole", &[R]).await.0, 404);
    local.stop().await;
}

#[tokio::test]
async fn roles_are_listed_by_pages_and_paths() {
    let local = with_role().await;
    for name in ["a", "z"] {
        ok(
            &local,
            "CreateRole",
            &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)],
        )
        .await;
    }
    let first = ok(&local, "ListRoles", &[("MaxItems", "2")]).await;
    assert_eq!(
        (element(&first, "RoleName"), element(&first, "IsTruncated")),
        ("a", "true")
    );
    let rest = ok(&local, "ListRoles", &[("Marker", element(&first, "Marker"))]).await;
    assert_eq!(
        (element(&rest, "RoleName"), element(&rest, "IsTruncated")),
        ("z", "false")
    );
    let of_path = ok(&local, "ListRoles", &[("PathPrefix", "/scalr/")]).await;
    assert_eq!(element(&of_path, "RoleName"), "deliver");
    local.stop().await;
}

/// A call, and the status, code and words of its refusal.
type Refusal<'a> = (&'a str, Vec<(&'a str, &'a str)>, u16, &'a str, &'a str);

async fn check_refusals(rows: Vec<Refusal<'_>>) {
    let local = with_role().await;
    for (operation, members, status, code, words) in rows {
        let (got, xml) = iam(&local, CUSTOMER, operation, &members).await;
        assert_eq!((got, element(&xml, "Code")), (status, code), "{operation} {xml}");
        assert!(element(&xml, "Message").contains(words), "{operation} {xml}");
    }
    local.stop().await;
}

const NONE: (&str, &str) = ("RoleName", "none");

/// A permissions boundary is kept and shown, and takes nothing from what the role allows.
#[tokio::test]
async fn a_role_has_a_permissions_boundary() {
    const BOUNDARIES: [&str; 2] = [
        "arn:aws:iam::123456789012:policy/one",
        "arn:aws:iam::aws:policy/PowerUserAccess",
    ];
    let local = Local::start(Config::default()).await;
    let boundary = |of: &'static str| ("PermissionsBoundary", of);
    let trust = ("AssumeRolePolicyDocument", TRUST);
    let made = ok(&local, "CreateRole", &[R, trust, boundary(BOUNDARIES[0])]).await;
    assert_eq!(element(&made, "PermissionsBoundaryArn"), BOUNDARIES[0]);
    ok(
        &local,
        "PutRolePermissionsBoundary",
        &[R, boundary(BOUNDARIES[1])],
    )
    .await;
    let role = ok(&local, "GetRole", &[R]).await;
    assert_eq!(element(&role, "PermissionsBoundaryArn"), BOUNDARIES[1]);
    assert_eq!(element(&role, "PermissionsBoundaryType"), "Policy");
    let list = ok(&local, "ListRoles", &[]).await;
    assert!(!list.contains("PermissionsBoundary"), "{list}");
    ok(&local, "DeleteRolePermissionsBoundary", &[R]).await;
    let role = ok(&local, "GetRole", &[R]).await;
    assert!(!role.contains("PermissionsBoundary"), "{role}");
    local.stop().await;
}

#[tokio::test]
async fn boundaries_are_refused_with_iams_codes() {
    let trust = ("AssumeRolePolicyDocument", TRUST);
    let boundary = ("PermissionsBoundary", "arn:aws:iam::aws:role/Admin");
    check_refusals(vec![
        (
            "CreateRole",
            vec![NONE, trust, boundary],
            400,
            "InvalidInput",
            "is not valid",
        ),
        (
            "PutRolePermissionsBoundary",
            vec![R, boundary],
            400,
            "InvalidInput",
            "is not valid",
        ),
        (
            "PutRolePermissionsBoundary",
            vec![R],
            400,
            "ValidationError",
            "permissionsBoundary",
        ),
        (
            "DeleteRolePermissionsBoundary",
            vec![R],
            404,
            "NoSuchEntity",
            "no permissions boundary",
        ),
    ])
    .await;
}

#[tokio::test]
async fn roles_are_refused_with_iams_codes() {
    let trust = ("AssumeRolePolicyDocument", TRUST);
    let (first, second) = (("Tags.member.1.Value", ""), ("Tags.member.2.Value", ""));
    let twice = vec![
        R,
        ("Tags.member.1.Key", "a"),
        first,
        ("Tags.member.2.Key", "A"),
        second,
    ];
    let reserved = vec![R, ("Tags.member.1.Key", "aws:x"), first];
    check_refusals(vec![
        (
            "CreateRole",
            vec![("RoleName", "DELIVER"), trust],
            409,
            "EntityAlreadyExists",
            "already exists",
        ),
        (
            "CreateRole",
            vec![("RoleName", "a b"), trust],
            400,
            "ValidationError",
            "roleName",
        ),
        (
            "CreateRole",
            vec![NONE],
            400,
            "ValidationError",
            "assumeRolePolicyDocument",
        ),
        (
            "DeleteRole",
            vec![R],
            409,
            "DeleteConflict",
            "must delete policies first",
        ),
        ("DeleteRole", vec![NONE], 404, "NoSuchEntity", "none"),
        ("TagRole", twice, 400, "InvalidInput", "Duplicate tag keys"),
        ("TagRole", reserved, 400, "InvalidInput", "reserved"),
        (
            "ListRoles",
            vec![("Marker", "x")],
            400,
            "ValidationError",
            "Marker",
        ),
        (
            "CreateUser",
            vec![],
            400,
            "UnknownOperationException",
            "does not have the operation",
        ),
    ])
    .await;
}

#[tokio::test]
async fn policies_are_refused_with_iams_codes() {
    let other = TRUST.replace("sts:", "sqs:");
    let action = "x".repeat(10_240);
    let long = format!(r#"{{"Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#);
    let too_long = "Maximum policy size of 10240 bytes exceeded for role deliver";
    let new = |text| vec![NONE, ("AssumeRolePolicyDocument", text)];
    let malformed = "MalformedPolicyDocument";
    check_refusals(vec![
        ("CreateRole", new("{"), 400, malformed, "not valid JSON"),
        (
            "CreateRole",
            new(SEND),
            400,
            malformed,
            "Has prohibited field Resource",
        ),
        (
            "UpdateAssumeRolePolicy",
            vec![R, document(&other)],
            400,
            malformed,
            "AssumeRole actions",
        ),
        (
            "UpdateAssumeRolePolicy",
            vec![NONE, document(TRUST)],
            404,
            "NoSuchEntity",
            "role with name none cannot",
        ),
        (
            "PutRolePolicy",
            vec![R, P, document(TRUST)],
            400,
            malformed,
            "should not specify a principal",
        ),
        (
            "PutRolePolicy",
            vec![R, P, document(&long)],
            409,
            "LimitExceeded",
            too_long,
        ),
        (
            "GetRolePolicy",
            vec![R, ("PolicyName", "q")],
            404,
            "NoSuchEntity",
            "policy with name q cannot",
        ),
    ])
    .await;
}

#[tokio::test]
async fn roles_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config {
        data_dir: Some(dir.path().to_owned()),
        ..Config::default()
    };
    let local = Local::start(config()).await;
    ok(&local, "CreateRole", &[R, ("AssumeRolePolicyDocument", TRUST)]).await;
    ok(&local, "PutRolePolicy", &[R, P, ("PolicyDocument", SEND)]).await;
    let before = ok(&local, "GetRole", &[R]).await;
    local.stop().await;
    let local = Local::start(config()).await;
    let after = ok(&local, "GetRole", &[R]).await;
    assert_eq!(element(&after, "RoleId"), element(&before, "RoleId"));
    assert_eq!(
        element(&ok(&local, "GetRolePolicy", &[R, P]).await, "PolicyDocument"),
        encoded(SEND)
    );
    local.stop().await;
}

/// Sends an event to another bus by the role, and gives what came of it.
async fn forwarded(local: &Local) -> String {
    let entry = json!({ "Entries": [{ "Source": "s", "DetailType": "t", "Detail": "{}" }] });
    let (_, put) = local.ask(CUSTOMER, "events.PutEvents", &entry.to_string()).await;
    let id = put["Entries"][0]["EventId"].as_str().unwrap();
    let story = local.look(&format!("events/{id}")).await;
    let delivery = &story["buses"][0]["deliveries"][0];
    let attempt = &delivery["attempts"][0];
    let outcome = delivery["outcome"].as_str().unwrap();
    format!(
        "{outcome} {} {} {}",
        attempt["error_code"], attempt["error_message"], delivery["role"]
    )
}

/// A rule that sends every event to another bus by the role.
async fn with_rule(unknown_roles: UnknownRoles) -> Local {
    let config = Config {
        unknown_roles,
        ..Config::default()
    };
    let local = Local::start(config).await;
    let to = format!("arn:aws:events:{REGION}:{CUSTOMER}:event-bus/to");
    let role = format!("arn:aws:iam::{CUSTOMER}:role/deliver");
    let targets = json!({ "Rule": "r", "Targets": [{ "Id": "1", "Arn": to, "RoleArn": role }] }).to_string();
    let pattern = r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#;
    local
        .run(&[
            (CUSTOMER, "events.CreateEventBus", r#"{"Name":"to"}"#, "ok"),
            (CUSTOMER, "events.PutRule", pattern, "ok"),
            (CUSTOMER, "events.PutTargets", &targets, "ok"),
        ])
        .await;
    local
}

#[tokio::test]
async fn a_role_that_exists_is_asked_before_each_delivery() {
    let local = with_rule(UnknownRoles::Allow).await;
    let seen = forwarded(&local).await;
    assert!(
        seen.starts_with("delivered null null \"never created here"),
        "{seen}"
    );
    ok(&local, "CreateRole", &[R, ("AssumeRolePolicyDocument", TRUST)]).await;
    let seen = forwarded(&local).await;
    assert!(
        seen.starts_with("failed \"NO_PERMISSIONS\" \"no inline policy of"),
        "{seen}"
    );
    let put = SEND.replace("sqs:SendMessage", "events:PutEvents");
    ok(&local, "PutRolePolicy", &[R, P, document(&put)]).await;
    assert_eq!(forwarded(&local).await, "delivered null null null");
    let other = TRUST.replace("events.", "scheduler.");
    ok(&local, "UpdateAssumeRolePolicy", &[R, document(&other)]).await;
    let seen = forwarded(&local).await;
    assert!(
        seen.contains("does not let events.amazonaws.com assume it"),
        "{seen}"
    );
    ok(&local, "DeleteRolePolicy", &[R, P]).await;
    ok(&local, "DeleteRole", &[R]).await;
    let seen = forwarded(&local).await;
    assert!(seen.contains("was deleted"), "{seen}");
    local.stop().await;
}

#[tokio::test]
async fn an_unknown_role_can_be_denied() {
    let local = with_rule(UnknownRoles::Deny).await;
    let seen = forwarded(&local).await;
    assert!(
        seen.starts_with("failed \"NO_PERMISSIONS\"") && seen.contains("does not exist"),
        "{seen}"
    );
    local.stop().await;
}
