//! Sessions of people in browsers, in memory: a token, or a code that is good once, becomes a random id in a cookie.
//!
//! A session keeps the token that it was opened with. Each request shows that token again, so that a session ends with it.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scalr_api::AccountId;
use tokio::time::Instant;
use uuid::Uuid;

use crate::token::Token;

/// How long a session lasts.
pub(super) const LIFETIME: Duration = Duration::from_hours(12);
/// How long the code of a link is good.
const CODE_LIFETIME: Duration = Duration::from_mins(1);
/// Failed sign-ins within the window, after which none is tried until the first of them is older than that.
const FAILURES_MAX: usize = 10;
const FAILURES_WINDOW: Duration = Duration::from_mins(1);
/// Open sessions of an account; its oldest goes for the next.
const OF_ACCOUNT_MAX: usize = 20;
/// Open sessions of all; the oldest goes for the next.
const SESSIONS_MAX: usize = 1000;
/// Addresses whose failures are counted one by one; all others share a count.
const ADDRESSES_MAX: usize = 1000;

/// All sessions of a process.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<String, Session>,
    code: Option<(String, Instant)>,
    /// By the address that they came from.
    failures: HashMap<Address, VecDeque<Instant>>,
}

/// Where a sign-in came from, where that is known.
pub(super) type Address = Option<IpAddr>;

#[derive(Debug)]
struct Session {
    token: Token,
    account: AccountId,
    until: Instant,
}

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The token admits nobody to an account, or the code is not good (any more).
    Wrong,
    /// Too many have failed; the next may try after this time.
    TooMany(Duration),
}

impl Sessions {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // No panic can leave a session half made, so a poisoned lock is safe to use.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A code for a link, in place of an earlier one.
    pub(super) fn new_code(&self, now: Instant) -> String {
        let code = random();
        self.inner().code = Some((code.clone(), now + CODE_LIFETIME));
        code
    }

    /// Signs in by a code, with this token, which opens this account. The code is used up.
    pub(super) fn by_code(
        &self,
        code: &str,
        (token, account): (&Token, &AccountId),
        (from, now): (Address, Instant),
    ) -> Result<String, Refused> {
        let mut inner = self.inner();
        inner.may_try(from, now)?;
        let is_good = matches!(&inner.code, Some((good, until)) if good == code && now < *until);
        if !is_good {
            inner.failures_of(from).push_back(now);
            return Err(Refused::Wrong);
        }
        inner.code = None;
        Ok(inner.open(token.clone(), account.clone(), now))
    }

    /// Whether a token may be tried now. It counts as a failure until a session is opened for it: looking it up takes time, in
    /// which others must not be tried without end.
    pub(super) fn may_try(&self, from: Address, now: Instant) -> Result<(), Refused> {
        self.inner().may_try(from, now)?.push_back(now);
        Ok(())
    }

    /// Signs in by the token that was tried, which opens this account.
    pub(super) fn open(&self, sent: &str, account: &AccountId, (from, now): (Address, Instant)) -> String {
        let mut inner = self.inner();
        inner.failures_of(from).pop_back();
        inner.open(Token::new(sent), account.clone(), now)
    }

    /// The token of an open session.
    pub(super) fn token(&self, id: &str, now: Instant) -> Option<Token> {
        let inner = self.inner();
        let session = inner.open.get(id).filter(|session| now < session.until)?;
        Some(session.token.clone())
    }

    /// Ends a session.
    pub(super) fn close(&self, id: &str) {
        self.inner().open.remove(id);
    }

    /// Ends all sessions of an account.
    pub(super) fn close_all(&self, account: &AccountId) {
        self.inner().open.retain(|_, session| session.account != *account);
    }
}

impl Inner {
    /// The failures that came from there.
    fn failures_of(&mut self, from: Address) -> &mut VecDeque<Instant> {
        let is_counted = self.failures.len() < ADDRESSES_MAX || self.failures.contains_key(&from);
        self.failures.entry(from.filter(|_| is_counted)).or_default()
    }

    /// The failures that came from there, unless they are too many.
    fn may_try(&mut self, from: Address, now: Instant) -> Result<&mut VecDeque<Instant>, Refused> {
        self.failures.retain(|_, times| {
            times.retain(|at| now.duration_since(*at) < FAILURES_WINDOW);
            !times.is_empty()
        });
        let failures = self.failures_of(from);
        match failures.front() {
            Some(first) if failures.len() >= FAILURES_MAX => {
                let passed = now.duration_since(*first);
                Err(Refused::TooMany(FAILURES_WINDOW.saturating_sub(passed)))
            }
            _ => Ok(failures),
        }
    }

    fn open(&mut self, token: Token, account: AccountId, now: Instant) -> String {
        self.open.retain(|_, session| now < session.until);
        // Of the own account first: no account closes the sessions of another by opening its own.
        let own = self.open.values().filter(|one| one.account == account).count();
        if own >= OF_ACCOUNT_MAX {
            self.close_oldest(|session| session.account == account);
        } else if self.open.len() >= SESSIONS_MAX {
            self.close_oldest(|_| true);
        }
        let id = random();
        let until = now + LIFETIME;
        let session = Session {
            token,
            account,
            until,
        };
        self.open.insert(id.clone(), session);
        id
    }

    fn close_oldest(&mut self, which: impl Fn(&Session) -> bool) {
        let those = self.open.iter().filter(|(_, session)| which(session));
        let oldest = those.min_by_key(|(_, session)| session.until);
        if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
            self.open.remove(&oldest);
        }
    }
}

/// 244 random bits.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn account(name: &str) -> AccountId {
        AccountId::new(format!("acc-{name}")).unwrap()
    }

    fn by_code(sessions: &Sessions, code: &str, now: Instant) -> Result<String, Refused> {
        sessions.by_code(code, (&Token::new("session-token"), &account("a")), (None, now))
    }

    /// Signs in by a token that is right, or tries a wrong one.
    fn by_token(sessions: &Sessions, is_right: bool, now: Instant) -> Result<String, Refused> {
        sessions.may_try(None, now)?;
        if !is_right {
            return Err(Refused::Wrong);
        }
        Ok(sessions.open("session-token", &account("a"), (None, now)))
    }

    #[test]
    fn a_code_is_good_once_and_for_a_minute() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let code = sessions.new_code(now);
        assert_eq!(by_code(&sessions, "x", now), Err(Refused::Wrong));
        let id = by_code(&sessions, &code, now).unwrap();
        assert!(id != code && sessions.token(&id, now).is_some());
        assert_eq!(
            by_code(&sessions, &code, now),
            Err(Refused::Wrong),
            "it is used up"
        );
        let late = sessions.new_code(now);
        assert_eq!(
            by_code(&sessions, &late, now + CODE_LIFETIME),
            Err(Refused::Wrong)
        );
        assert!(by_code(&sessions, &late, now + CODE_LIFETIME - SECOND).is_ok());
        let replaced = sessions.new_code(now);
        sessions.new_code(now);
        assert_eq!(by_code(&sessions, &replaced, now), Err(Refused::Wrong));
    }

    #[test]
    fn a_session_ends_after_twelve_hours_or_when_it_is_closed() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let open = || by_token(&sessions, true, now).unwrap();
        let (one, two) = (open(), open());
        assert_ne!(one, two);
        assert!(sessions.token(&one, now + LIFETIME - SECOND).is_some());
        assert!(sessions.token(&one, now + LIFETIME).is_none());
        sessions.close(&one);
        assert!(sessions.token(&one, now).is_none() && sessions.token(&two, now).is_some());
        let other = sessions.open("other-token", &account("b"), (None, now));
        sessions.close_all(&account("a"));
        assert!(
            sessions.token(&other, now).is_some(),
            "that of another account stays"
        );
        assert!(sessions.token(&two, now).is_none() && sessions.token("", now).is_none());
    }

    #[test]
    fn an_account_has_twenty_sessions_and_its_oldest_goes() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let other = sessions.open("other-token", &account("b"), (None, now));
        let open = |at: usize| {
            let at = now + SECOND * u32::try_from(at).unwrap();
            by_token(&sessions, true, at).unwrap()
        };
        let ids: Vec<String> = (0..=OF_ACCOUNT_MAX).map(open).collect();
        assert!(sessions.token(&ids[0], now).is_none());
        assert!(ids[1..].iter().all(|id| sessions.token(id, now).is_some()));
        assert!(
            sessions.token(&other, now).is_some(),
            "that of another account stays"
        );
    }

    #[test]
    fn guessing_is_slowed_down_and_then_possible_again() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let code = sessions.new_code(now);
        for at in 0..FAILURES_MAX {
            let at = now + SECOND * u32::try_from(at).unwrap();
            assert_eq!(by_token(&sessions, false, at), Err(Refused::Wrong));
        }
        let at = now + SECOND * 20;
        let waits = Err(Refused::TooMany(SECOND * 40));
        assert_eq!(by_token(&sessions, true, at), waits);
        assert_eq!(by_code(&sessions, &code, at), waits);
        let elsewhere = Some(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(
            sessions.may_try(elsewhere, at),
            Ok(()),
            "others are not kept waiting"
        );
        assert!(by_token(&sessions, true, now + FAILURES_WINDOW).is_ok());
    }
}
