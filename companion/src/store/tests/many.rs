//! How tests store many events at once: held, unconfirmed and delivered ones, by a statement each.

use scalr_api::ConnectionId;

use super::super::Store;
use super::super::sql::query;
use crate::testing::ACCEPTED_MS;

impl Store {
    /// Has a connection hold so many events more, of this size by their figures, in up to 50 lanes; as unconfirmed ones where that is said.
    pub(crate) async fn hold(&self, id: &ConnectionId, [events, bytes]: [i64; 2], unconfirmed: bool) {
        query(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
             INSERT INTO outbox (connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms, accepted_at_ms,
                                 due_at_ms, unconfirmed_at_ms)
             SELECT $2, 'e-' || n, 'w-' || (n % 50), 1, 'AuditLog', '{}', $3, $4, $4, 0, $5 FROM n",
        )
        .bind(events)
        .bind(id.as_str())
        .bind(bytes)
        .bind(ACCEPTED_MS)
        .bind(unconfirmed.then_some(ACCEPTED_MS))
        .execute(&self.write)
        .await
        .unwrap();
    }

    /// Has so many events of this size delivered, which no look has covered.
    pub(crate) async fn deliver(&self, id: &ConnectionId, [events, bytes]: [i64; 2]) {
        let settled = query(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
             INSERT INTO settled (connection_id, state, event_id, lane, version, detail_type, detail, bytes, time_ms, attempts,
                                  settled_at_ms, outbox_seq, accepted_at_ms)
             SELECT $2, 'delivered', 'e-' || n, 'w', 1, 'AuditLog', '{}', $3, $4, 1, $4, n, $4 FROM n",
        );
        let settled = settled.bind(events).bind(id.as_str()).bind(bytes);
        settled.bind(ACCEPTED_MS).execute(&self.write).await.unwrap();
        query(
            "UPDATE delivery SET made = made + $1, delivered = delivered + $1,
                                 acknowledged_seq = (SELECT MAX(seq) FROM settled) WHERE connection_id = $2",
        )
        .bind(events)
        .bind(id.as_str())
        .execute(&self.write)
        .await
        .unwrap();
    }

    /// A look at a connection's source was good.
    pub(crate) async fn good_look(&self, id: &ConnectionId) {
        let up_to = self.to_confirm(id).await.unwrap().unwrap().up_to;
        let mut tx = self.begin().await.unwrap();
        tx.confirm(id, up_to).await.unwrap();
        tx.commit().await.unwrap();
    }
}
