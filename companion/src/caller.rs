//! Who calls: the holder of a token, what the token permits, where a request came from, and the proof that the token was shown.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::ops::Deref;

use scalr_api::AccountId;

use crate::token::Digest;

/// The id of the one user there is.
pub(crate) const USER_ID: &str = "user-v0owner";
/// Their address.
pub(crate) const USER_EMAIL: &str = "owner@example.com";
/// The id of the token of `dev`.
pub(crate) const DEV_TOKEN_ID: &str = "at-v0owner";
/// What the tokens of operators begin with.
pub(crate) const OF_OPERATOR: &str = "sebo_";
/// What those of accounts begin with.
pub(crate) const OF_ACCOUNT: &str = "seba_";
/// Longest `User-Agent` that is copied into an audit log.
const USER_AGENT_CHARS_MAX: usize = 256;

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// To change objects; and what the others permit.
    Admin,
    /// To send events and to start runs.
    Intake,
    /// To read objects.
    Read,
}

/// The scopes of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<Scope>);

/// A token that is stored, with the account that it opens: none for an operator's.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) digest: Digest,
    /// Its last characters.
    pub(crate) end: String,
    pub(crate) scopes: Scopes,
    pub(crate) account: Option<(AccountId, String)>,
    /// When it ends by itself, by the clock of ages.
    pub(crate) expires_at_ms: Option<i64>,
}

/// Who sent a request, for the audit log.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) ip_address: String,
    pub(crate) user_agent: String,
    pub(crate) token_id: String,
    pub(crate) token_end: String,
    /// Whether the token was shown by a session of the console.
    pub(crate) by_session: bool,
    /// When the token ends by itself, by the clock of ages.
    pub(crate) expires_at_ms: Option<i64>,
    scopes: Scopes,
}

/// The proof that a request showed a token, and whose account it opens: only [`Known::admit`] makes one. Handlers that
/// need an account take it as an argument, as [`May`] with what they need it for.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) sender: Sender,
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
    _proof: (),
}

/// The proof that a request showed an operator's token, which opens no account.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) sender: Sender,
    _proof: (),
}

/// Whoever showed a token.
#[derive(Clone, Debug)]
pub(crate) enum Admitted {
    Caller(Caller),
    Operator(Operator),
}

/// What [`May`] permits, as a type.
pub(crate) trait Power {
    const SCOPE: Scope;
}

/// [`Scope::Admin`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Admin {}
/// [`Scope::Intake`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Intake {}
/// [`Scope::Read`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Read {}

impl Power for Admin {
    const SCOPE: Scope = Scope::Admin;
}
impl Power for Intake {
    const SCOPE: Scope = Scope::Intake;
}
impl Power for Read {
    const SCOPE: Scope = Scope::Read;
}

/// A caller (or an operator) whose token permits this.
#[derive(Clone, Debug)]
pub(crate) struct May<P, W = Caller>(W, PhantomData<fn() -> P>);

/// The scope that a token lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lacks(pub(crate) Scope);

impl Scope {
    pub(crate) const ALL: [Self; 3] = [Self::Admin, Self::Intake, Self::Read];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Intake => "intake",
            Self::Read => "read",
        }
    }

    /// The scope of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

impl Scopes {
    /// These, each once and in the order of the list.
    pub(crate) fn of(scopes: &[Scope]) -> Self {
        Self(
            Scope::ALL
                .into_iter()
                .filter(|scope| scopes.contains(scope))
                .collect(),
        )
    }

    /// Those of a stored text; what this version does not know permits nothing.
    pub(crate) fn read(text: &str) -> Self {
        let scopes: Vec<Scope> = text.split(',').filter_map(Scope::of).collect();
        Self::of(&scopes)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|scope| scope.as_str())
    }

    /// Whether this scope is one of them.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    fn permit(&self, scope: Scope) -> bool {
        self.has(scope) || self.has(Scope::Admin)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().collect();
        f.write_str(&names.join(","))
    }
}

impl Known {
    /// Whoever shows this token, if it is the right one.
    pub(crate) fn admit(&self, sent: &Digest, peer: Option<Peer>, user_agent: &str) -> Option<Admitted> {
        if !self.digest.is(sent) {
            return None;
        }
        let sender = Sender {
            ip_address: peer.map(|Peer(addr)| addr.ip().to_string()).unwrap_or_default(),
            user_agent: user_agent.chars().take(USER_AGENT_CHARS_MAX).collect(),
            token_id: self.id.clone(),
            token_end: self.end.clone(),
            by_session: false,
            expires_at_ms: self.expires_at_ms,
            scopes: self.scopes.clone(),
        };
        Some(match &self.account {
            None => Admitted::Operator(Operator { sender, _proof: () }),
            Some((id, name)) => Admitted::Caller(Caller {
                sender,
                account_id: id.clone(),
                account_name: name.clone(),
                _proof: (),
            }),
        })
    }
}

impl Sender {
    /// Where the call comes from, in Scalr's words.
    pub(crate) fn source(&self) -> &'static str {
        if self.by_session { "ui" } else { "api" }
    }

    /// What the token permits.
    pub(crate) fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    fn needs(&self, scope: Scope) -> Result<(), Lacks> {
        self.scopes.permit(scope).then_some(()).ok_or(Lacks(scope))
    }
}

impl Caller {
    /// The proof that the token permits this.
    pub(crate) fn may<P: Power>(self) -> Result<May<P>, Lacks> {
        self.sender.needs(P::SCOPE)?;
        Ok(May(self, PhantomData))
    }
}

impl Operator {
    /// The proof that the token permits this.
    pub(crate) fn may<P: Power>(self) -> Result<May<P, Self>, Lacks> {
        self.sender.needs(P::SCOPE)?;
        Ok(May(self, PhantomData))
    }
}

impl<P, W> Deref for May<P, W> {
    type Target = W;

    fn deref(&self) -> &W {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_permits_itself_and_admin_everything() {
        for (scopes, want) in [
            ("admin", [true, true, true]),
            ("intake", [false, true, false]),
            ("read", [false, false, true]),
            ("read,intake", [false, true, true]),
            ("", [false; 3]),
            ("owner,Admin", [false; 3]),
        ] {
            let have = Scopes::read(scopes);
            assert_eq!(Scope::ALL.map(|scope| have.permit(scope)), want, "{scopes}");
        }
        let all = Scopes::of(&[Scope::Read, Scope::Admin, Scope::Read]);
        assert_eq!(all.to_string(), "admin,read");
        assert_eq!(Scopes::read(&all.to_string()), all);
    }
}
