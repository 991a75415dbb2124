//! The page of deliveries against a real AWS that does not take some events.

use tempfile::TempDir;

use super::visitor::{Visitor, shows};
use crate::aws::Aws;
use crate::companion::Companion;
use crate::proxy::Act;
use crate::stage::{self, REGION};

/// A companion with a delivered event, and two that have failed.
async fn with_failed() -> (Aws, Companion, TempDir, String) {
    let (aws, c, dir, id) = stage::active().await;
    stage::one_arrives_and_two_fail(&aws, &c, &id).await;
    aws.proxy.script(|_| Act::Pass);
    (aws, c, dir, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_is_seen_sent_again_or_purged() {
    let (aws, c, _dir, id) = with_failed().await;
    let v = Visitor::of(&c).await;
    let connection = format!("/console/integrations/{id}");
    let deliveries = format!("{connection}/deliveries");
    let page = v.page(&connection).await;
    shows(&page, &["<dt>Unconfirmed</dt><dd>0</dd>", &deliveries]);
    let failed = v.page(&deliveries).await;
    shows(
        &failed,
        &[
            "failed (2)",
            "run-bad-1",
            "run-bad-2",
            "MalformedDetail",
            "data-confirm=\"Purge all",
        ],
    );
    assert!(!failed.contains("run-good"), "{failed}");

    // A page of another origin purges nothing.
    let purge = format!("{deliveries}/purge?state=failed");
    let forged = v
        .http
        .post(format!("{}{purge}", v.base))
        .header("cookie", &v.cookie);
    let forged = forged
        .header("origin", "http://evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(forged.status(), 403);
    shows(&v.page(&deliveries).await, &["failed (2)"]);

    let purged = v.step(&format!("{purge}&event=run-bad-1"), &[]).await;
    shows(&purged, &["1 delivery: were purged", "failed (1)"]);
    let sent = v.step(&format!("{deliveries}/redeliver?state=failed"), &[]).await;
    shows(&sent, &["1 delivery: are to be sent again", "failed (0)"]);
    aws.run_arrives(REGION, "run-bad-2").await;
    c.drained(&id).await;

    let delivered = format!("{deliveries}?state=delivered");
    let page = v.page(&delivered).await;
    shows(
        &page,
        &[
            "run-good",
            "run-bad-2",
            "list those from a time on",
            "data-confirm=\"Send this event again?",
        ],
    );
    assert!(
        !page.contains("Send all again") && !page.contains("purge?"),
        "{page}"
    );
    shows(
        &v.page(&format!("{delivered}&from=2026-01-01T00:00:00Z")).await,
        &["Send all again"],
    );
    v.step(
        &format!("{deliveries}/redeliver?state=delivered&event=run-good"),
        &[],
    )
    .await;
    c.drained(&id).await;
    let runs = aws.runs(REGION).await;
    assert_eq!((runs["run-good"], runs["run-bad-2"], runs.len()), (2, 1, 2));
}
