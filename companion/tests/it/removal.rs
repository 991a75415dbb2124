//! Sources whose connection is gone: AWS may refuse to delete one for now, and it is never forgotten for that.

use crate::aws::Aws;
use crate::companion::Companion;
use crate::proxy::Act;
use crate::until;

const REGION: &str = "us-east-1";
const SOURCE: &str = "aws.partner/scalr.com/local/prod";

fn refuse_deletion(aws: &Aws) {
    aws.proxy.script(|call| match call.operation.as_str() {
        "DeletePartnerEventSource" => Act::Refuse("OperationNotAllowed"),
        _ => Act::Pass,
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_aws_refuses_to_delete_is_deleted_once_it_does_not() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    let id = c.connect("prod", REGION).await;
    refuse_deletion(&aws);
    assert_eq!(c.disconnect(&id).await, 204);
    assert!(aws.source_state(REGION, SOURCE).await.is_some());
    assert!(c.stop().await);

    // Somebody puts that right, and starts the companion again.
    aws.proxy.script(|_| Act::Pass);
    let _c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    until("the source to be gone", || async {
        aws.source_state(REGION, SOURCE).await.is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_waits_for_what_the_last_one_left() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    let first = c.connect("prod", REGION).await;
    refuse_deletion(&aws);
    assert_eq!(c.disconnect(&first).await, 204);
    let second = c.connect("prod", REGION).await;
    let row = c.connection(&second).await;
    assert_eq!(row["status"], "failed", "{row}");
    let said = row["err-message"].to_string();
    assert!(
        said.contains("that an earlier connection of this name left"),
        "{said}"
    );

    aws.proxy.script(|_| Act::Pass);
    assert_eq!(c.set_status(&second, "active").await, "pending");
    let deletions = aws
        .proxy
        .calls()
        .into_iter()
        .filter(|call| call.operation == "DeletePartnerEventSource");
    assert_eq!(deletions.count(), 3, "refused twice, then done");
    assert_eq!(aws.source_state(REGION, SOURCE).await.as_deref(), Some("PENDING"));
}
