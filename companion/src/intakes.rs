//! How many calls that send events are under way: each holds a body in memory while it waits for the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scalr_api::AccountId;

/// Calls at a time, of all accounts.
const CALLS_MAX: usize = 256;
/// Calls at a time of one account, so that none keeps the others out.
const CALLS_OF_ACCOUNT_MAX: usize = 64;

/// The calls that are under way. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intakes(Arc<Mutex<HashMap<AccountId, usize>>>);

/// The place of a call; dropped, it is free.
#[derive(Debug)]
pub(crate) struct Place {
    of: Intakes,
    account: AccountId,
}

impl Intakes {
    fn calls(&self) -> MutexGuard<'_, HashMap<AccountId, usize>> {
        // Counts are changed in one step, so a poisoned lock is safe to use.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a call of this account; none where there are as many as may be.
    pub(crate) fn enter(&self, account: &AccountId) -> Option<Place> {
        let mut calls = self.calls();
        let all: usize = calls.values().sum();
        let own = calls.get(account).copied().unwrap_or_default();
        if all >= CALLS_MAX || own >= CALLS_OF_ACCOUNT_MAX {
            return None;
        }
        calls.insert(account.clone(), own + 1);
        Some(Place {
            of: self.clone(),
            account: account.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut calls = self.of.calls();
        match calls.get_mut(&self.account) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(calls.remove(&self.account)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_keeps_no_other_one_out() {
        let (intakes, a) = (Intakes::default(), AccountId::new("acc-a").unwrap());
        let mut places: Vec<Place> = std::iter::from_fn(|| intakes.enter(&a)).collect();
        assert_eq!(places.len(), CALLS_OF_ACCOUNT_MAX);
        let b = AccountId::new("acc-b").unwrap();
        assert!(intakes.enter(&b).is_some());
        places.pop();
        assert!(intakes.enter(&a).is_some(), "a place is free again");
        for n in 0.. {
            let other = AccountId::new(format!("acc-{n}")).unwrap();
            let Some(place) = intakes.enter(&other) else { break };
            places.push(place);
        }
        assert_eq!(places.len(), CALLS_MAX);
        drop(places);
        assert!(intakes.calls().is_empty());
    }
}
