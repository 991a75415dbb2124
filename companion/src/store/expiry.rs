//! Tokens that end by themselves.

use super::access::AccessToken;
use super::database::Tx;
use super::error::Result;
use super::sql::query;

impl Tx {
    /// Has a new token end at its time.
    pub(crate) async fn set_expiry(&mut self, new: &AccessToken) -> Result<()> {
        query("UPDATE token SET expires_at_ms = $1 WHERE id = $2")
            .bind(new.expires_at_ms)
            .bind(&new.id)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Revokes the tokens that have ended by themselves, so that they count no more and stay listed for as long as those that a person
    /// has revoked.
    pub(crate) async fn revoke_expired(&mut self, now_ms: i64) -> Result<()> {
        query("UPDATE token SET revoked_at_ms = expires_at_ms WHERE expires_at_ms <= $1 AND revoked_at_ms IS NULL")
            .bind(now_ms)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }
}
