//! Sessions of people in browsers, in memory: a token, or a code that is good once, becomes a random id in a cookie.
//!
//! A session keeps the token that it was opened with. Each request shows that token again, so that a session ends with it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
/// Open sessions; the oldest goes for the next.
const SESSIONS_MAX: usize = 100;

/// All sessions of a process.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<String, Session>,
    code: Option<(String, Instant)>,
    failures: VecDeque<Instant>,
}

#[derive(Debug)]
struct Session {
    token: Token,
    until: Instant,
}

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The token is not the companion's, or the code is not good (any more).
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

    /// Signs in by a code, with this token. The code is used up.
    pub(super) fn by_code(&self, code: &str, token: &Token, now: Instant) -> Result<String, Refused> {
        let mut inner = self.inner();
        inner.may_try(now)?;
        let is_good = matches!(&inner.code, Some((good, until)) if good == code && now < *until);
        if !is_good {
            return Err(inner.failed(now));
        }
        inner.code = None;
        Ok(inner.open(token.clone(), now))
    }

    /// Signs in by a token, where `is_right` says that it is the companion's.
    pub(super) fn by_token(
        &self,
        sent: &str,
        is_right: impl FnOnce(&str) -> bool,
        now: Instant,
    ) -> Result<String, Refused> {
        let mut inner = self.inner();
        inner.may_try(now)?;
        if !is_right(sent) {
            return Err(inner.failed(now));
        }
        Ok(inner.open(Token::new(sent), now))
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

    /// Ends all sessions.
    pub(super) fn close_all(&self) {
        self.inner().open.clear();
    }
}

impl Inner {
    fn may_try(&mut self, now: Instant) -> Result<(), Refused> {
        while self
            .failures
            .front()
            .is_some_and(|first| now.duration_since(*first) >= FAILURES_WINDOW)
        {
            self.failures.pop_front();
        }
        match self.failures.front() {
            Some(first) if self.failures.len() >= FAILURES_MAX => {
                let passed = now.duration_since(*first);
                Err(Refused::TooMany(FAILURES_WINDOW.saturating_sub(passed)))
            }
            _ => Ok(()),
        }
    }

    fn failed(&mut self, now: Instant) -> Refused {
        self.failures.push_back(now);
        Refused::Wrong
    }

    fn open(&mut self, token: Token, now: Instant) -> String {
        self.open.retain(|_, session| now < session.until);
        if self.open.len() >= SESSIONS_MAX {
            let oldest = self.open.iter().min_by_key(|(_, session)| session.until);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.open.remove(&oldest);
            }
        }
        let id = random();
        let until = now + LIFETIME;
        self.open.insert(id.clone(), Session { token, until });
        id
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

    fn token() -> Token {
        Token::new("session-token")
    }

    #[test]
    fn a_code_is_good_once_and_for_a_minute() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let code = sessions.new_code(now);
        assert_eq!(sessions.by_code("x", &token(), now), Err(Refused::Wrong));
        let id = sessions.by_code(&code, &token(), now).unwrap();
        assert!(id != code && sessions.token(&id, now).is_some());
        assert_eq!(
            sessions.by_code(&code, &token(), now),
            Err(Refused::Wrong),
            "it is used up"
        );
        let late = sessions.new_code(now);
        assert_eq!(
            sessions.by_code(&late, &token(), now + CODE_LIFETIME),
            Err(Refused::Wrong)
        );
        assert!(
            sessions
                .by_code(&late, &token(), now + CODE_LIFETIME - SECOND)
                .is_ok()
        );
        let replaced = sessions.new_code(now);
        sessions.new_code(now);
        assert_eq!(sessions.by_code(&replaced, &token(), now), Err(Refused::Wrong));
    }

    #[test]
    fn a_session_ends_after_twelve_hours_or_when_it_is_closed() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let open = || sessions.by_token("session-token", |_| true, now).unwrap();
        let (one, two) = (open(), open());
        assert_ne!(one, two);
        assert!(sessions.token(&one, now + LIFETIME - SECOND).is_some());
        assert!(sessions.token(&one, now + LIFETIME).is_none());
        sessions.close(&one);
        assert!(sessions.token(&one, now).is_none() && sessions.token(&two, now).is_some());
        sessions.close_all();
        assert!(sessions.token(&two, now).is_none() && sessions.token("", now).is_none());
    }

    #[test]
    fn there_are_a_hundred_sessions_at_most_and_the_oldest_goes() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let open = |at: usize| {
            let at = now + SECOND * u32::try_from(at).unwrap();
            sessions.by_token("session-token", |_| true, at).unwrap()
        };
        let ids: Vec<String> = (0..=SESSIONS_MAX).map(open).collect();
        assert!(sessions.token(&ids[0], now).is_none());
        assert!(ids[1..].iter().all(|id| sessions.token(id, now).is_some()));
    }

    #[test]
    fn guessing_is_slowed_down_and_then_possible_again() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let code = sessions.new_code(now);
        for at in 0..FAILURES_MAX {
            let at = now + SECOND * u32::try_from(at).unwrap();
            assert_eq!(sessions.by_token("wrong", |_| false, at), Err(Refused::Wrong));
        }
        let at = now + SECOND * 20;
        let waits = Err(Refused::TooMany(SECOND * 40));
        assert_eq!(sessions.by_token("session-token", |_| true, at), waits);
        assert_eq!(sessions.by_code(&code, &token(), at), waits);
        assert!(
            sessions
                .by_token("session-token", |_| true, now + FAILURES_WINDOW)
                .is_ok()
        );
    }
}
