//! Access tokens: which account each opens, what it permits, and since when it does not any more.

use scalr_api::AccountId;

use super::database::{Store, Tx};
use super::error::{Result, StoreError};
use super::row::{Found, Window, count, found, optional_id};
use super::sql::{Row, query};
use crate::caller::{DEV_TOKEN_ID, Known, Scope, Scopes};
use crate::ids;
use crate::token::{Digest, Token};

/// Revoked tokens of an account that stay listed.
const REVOKED_KEPT: i64 = 100;
/// Bytes of a digest that an index is searched for; the rest is compared in constant time.
const SEARCHED_BYTES: usize = 8;

/// A token that was shown, with what may keep it from being admitted.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) known: Known,
    pub(crate) is_revoked: bool,
    pub(crate) is_account_disabled: bool,
}

/// A token as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) id: String,
    /// None: an operator's.
    pub(crate) account_id: Option<AccountId>,
    pub(crate) name: String,
    pub(crate) scopes: Scopes,
    /// Its last characters.
    pub(crate) end: String,
    pub(crate) created_at_ms: i64,
    pub(crate) last_used_at_ms: Option<i64>,
    pub(crate) revoked_at_ms: Option<i64>,
    /// When it ends by itself, by the clock of ages.
    pub(crate) expires_at_ms: Option<i64>,
}

fn access_token(row: &Row) -> Result<AccessToken> {
    Ok(AccessToken {
        id: row.try_get("id")?,
        account_id: optional_id(row, "account_id")?,
        name: row.try_get("name")?,
        scopes: scopes(row)?,
        end: row.try_get("ends_in")?,
        created_at_ms: row.try_get("created_at_ms")?,
        last_used_at_ms: row.try_get("last_used_at_ms")?,
        revoked_at_ms: row.try_get("revoked_at_ms")?,
        expires_at_ms: row.try_get("expires_at_ms")?,
    })
}

fn scopes(row: &Row) -> Result<Scopes> {
    Ok(Scopes::read(&row.try_get::<String>("scopes")?))
}

fn shown(row: &Row) -> Result<Shown> {
    let digest: Vec<u8> = row.try_get("digest")?;
    let digest = Digest::from_bytes(&digest)
        .ok_or_else(|| StoreError::Unreadable("a digest that is no SHA-256".to_owned()))?;
    let account: Option<AccountId> = optional_id(row, "account_id")?;
    let name: Option<String> = row.try_get("account_name")?;
    // Without an account it would be taken for an operator's.
    let account = match (account, name) {
        (None, _) => None,
        (Some(id), Some(name)) => Some((id, name)),
        (Some(id), None) => {
            let why = format!("a token opens the account `{id}`, which does not exist");
            return Err(StoreError::Unreadable(why));
        }
    };
    Ok(Shown {
        known: Known {
            id: row.try_get("id")?,
            digest,
            end: row.try_get("ends_in")?,
            scopes: scopes(row)?,
            account,
            expires_at_ms: row.try_get("expires_at_ms")?,
        },
        is_revoked: row.try_get::<Option<i64>>("revoked_at_ms")?.is_some(),
        is_account_disabled: row.try_get::<Option<i64>>("disabled_at_ms")?.is_some(),
    })
}

/// The tokens whose digests lie between `$1` and `$2`.
pub(super) const SHOWN: &str = "SELECT t.*, a.name AS account_name, a.disabled_at_ms FROM token t
     LEFT JOIN account a ON a.id = t.account_id WHERE t.digest BETWEEN $1 AND $2";

impl AccessToken {
    /// What is listed of a new token.
    pub(crate) fn new(
        token: &Token,
        account_id: Option<AccountId>,
        name: String,
        scopes: Scopes,
        now_ms: i64,
    ) -> Self {
        Self {
            id: ids::new_text("at"),
            account_id,
            name,
            scopes,
            end: token.end(),
            created_at_ms: now_ms,
            last_used_at_ms: None,
            revoked_at_ms: None,
            expires_at_ms: None,
        }
    }
}

impl Store {
    /// The tokens that begin as this digest does: one at most, but for a miracle.
    pub(crate) async fn tokens_like(&self, digest: &Digest) -> Result<Vec<Shown>> {
        let bound = |rest: u8| {
            let mut bytes = digest.as_bytes().to_vec();
            bytes
                .iter_mut()
                .skip(SEARCHED_BYTES)
                .for_each(|byte| *byte = rest);
            bytes
        };
        let rows = query(SHOWN)
            .bind(bound(0))
            .bind(bound(u8::MAX))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(shown).collect()
    }

    /// All tokens, for operators; of one account, and by exact name, where given.
    pub(crate) async fn access_tokens(
        &self,
        [account, name]: [Option<&str>; 2],
        window: Window,
    ) -> Result<Found<AccessToken>> {
        let rows = query(
            "WITH found AS (SELECT *, rowid AS position FROM token
               WHERE ($1 IS NULL OR account_id = $1) AND ($2 IS NULL OR name = $2))
             SELECT * FROM (SELECT COUNT(*) AS total FROM found) AS counted
             LEFT JOIN (SELECT * FROM found ORDER BY position LIMIT $3 OFFSET $4) AS page ON TRUE ORDER BY position",
        )
        .bind(account)
        .bind(name)
        .bind(window.limit)
        .bind(window.offset)
        .fetch_all(&self.read)
        .await?;
        found(&rows, access_token)
    }
}

impl Tx {
    /// A token, as this transaction sees it.
    pub(crate) async fn access_token(&mut self, id: &str) -> Result<Option<AccessToken>> {
        let row = query("SELECT * FROM token WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut self.inner)
            .await?;
        row.as_ref().map(access_token).transpose()
    }

    /// How many tokens an account has that are not revoked; without an account, how many operators' there are.
    pub(crate) async fn count_tokens(&mut self, account: Option<&AccountId>) -> Result<u64> {
        let row = query(
            "SELECT COUNT(*) AS total FROM token WHERE account_id IS NOT DISTINCT FROM $1 AND revoked_at_ms IS NULL",
        )
        .bind(account.map(AccountId::as_str))
        .fetch_one(&mut self.inner)
        .await?;
        Ok(count(row.try_get("total")?))
    }

    /// The operators' tokens that permit everything and are not revoked: how many there are.
    pub(crate) async fn count_admin_operators(&mut self) -> Result<usize> {
        let rows = query("SELECT scopes FROM token WHERE account_id IS NULL AND revoked_at_ms IS NULL")
            .fetch_all(&mut self.inner)
            .await?;
        let scopes: Vec<Scopes> = rows.iter().map(scopes).collect::<Result<_>>()?;
        Ok(scopes.iter().filter(|one| one.has(Scope::Admin)).count())
    }

    /// Writes a new token; what it was made of is told to nobody again.
    pub(crate) async fn insert_token(&mut self, new: &AccessToken, token: &Token) -> Result<()> {
        query(
            "INSERT INTO token (id, digest, account_id, name, scopes, ends_in, created_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&new.id)
        .bind(Digest::of(token.reveal()).as_bytes())
        .bind(new.account_id.as_ref().map(AccountId::as_str))
        .bind(&new.name)
        .bind(new.scopes.to_string())
        .bind(&new.end)
        .bind(new.created_at_ms)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Revokes a token. Of the account's revoked ones the latest stay listed.
    pub(crate) async fn revoke_token(&mut self, token: &AccessToken, now_ms: i64) -> Result<()> {
        let account = token.account_id.as_ref().map(AccountId::as_str);
        query("UPDATE token SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL")
            .bind(now_ms)
            .bind(&token.id)
            .execute(&mut self.inner)
            .await?;
        query(
            "DELETE FROM token WHERE account_id IS NOT DISTINCT FROM $1 AND revoked_at_ms IS NOT NULL AND id NOT IN (
               SELECT id FROM token WHERE account_id IS NOT DISTINCT FROM $1 AND revoked_at_ms IS NOT NULL
               ORDER BY revoked_at_ms DESC, rowid DESC LIMIT $2)",
        )
        .bind(account)
        .bind(REVOKED_KEPT)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Notes when tokens were last used.
    pub(crate) async fn note_use(&mut self, used: &[(String, i64)]) -> Result<()> {
        for (id, at_ms) in used {
            query("UPDATE token SET last_used_at_ms = $1 WHERE id = $2")
                .bind(at_ms)
                .bind(id)
                .execute(&mut self.inner)
                .await?;
        }
        Ok(())
    }

    /// Has the token of `dev` open this account, in place of the one that it was before.
    pub(super) async fn admit_dev(&mut self, account: &AccountId, token: &Token, now_ms: i64) -> Result<()> {
        query(
            "INSERT INTO token (id, digest, account_id, name, scopes, ends_in, created_at_ms)
             VALUES ($1, $2, $3, 'dev', $4, $5, $6)
             ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, account_id = excluded.account_id,
               ends_in = excluded.ends_in, revoked_at_ms = NULL",
        )
        .bind(DEV_TOKEN_ID)
        .bind(Digest::of(token.reveal()).as_bytes())
        .bind(account.as_str())
        .bind(Scopes::of(&[Scope::Admin]).to_string())
        .bind(token.end())
        .bind(now_ms)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }
}
