//! Sources of deleted connections: a deletion that AWS refuses is retried until it succeeds.

use crate::aws::Aws;
use crate::companion::Companion;
use crate::proxy::Act;
use crate::stage::{self, REGION, SOURCE};
use crate::until;

fn refuse_deletion(aws: &Aws) {
    aws.proxy.script(|call| match call.operation.as_str() {
        "DeletePartnerEventSource" => Act::Refuse("OperationNotAllowed"),
        _ => Act::Pass,
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_deletion_of_a_source_is_retried_after_a_restart() {
    let (aws, c, dir) = stage::empty().await;
    let id = c.connect("prod", REGION).await;
    refuse_deletion(&aws);
    assert_eq!(c.disconnect(&id).await, 204);
    assert!(aws.source_state(REGION, SOURCE).await.is_some());
    assert!(c.stop().await);

    // An operator corrects that, and restarts the companion.
    aws.proxy.script(|_| Act::Pass);
    let _c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    until("the source to be gone", || async {
        aws.source_state(REGION, SOURCE).await.is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_fails_until_the_source_of_the_last_one_is_deleted() {
    let (aws, c, _dir) = stage::empty().await;
    let first = c.connect("prod", REGION).await;
    refuse_deletion(&aws);
    assert_eq!(c.disconnect(&first).await, 204);
    let second = c.connect("prod", REGION).await;
    let row = c.connection(&second).await;
    assert_eq!(row["status"], "failed", "{row}");
    let message = row["err-message"].to_string();
    assert!(
        message.contains("that an earlier connection of this name left"),
        "{message}"
    );

    aws.proxy.script(|_| Act::Pass);
    assert_eq!(c.set_status(&second, "active").await, "pending");
    let deletions = aws
        .proxy
        .calls()
        .into_iter()
        .filter(|call| call.operation == "DeletePartnerEventSource");
    assert_eq!(deletions.count(), 3, "refused twice, then carried out");
    assert_eq!(aws.source_state(REGION, SOURCE).await.as_deref(), Some("PENDING"));
}
