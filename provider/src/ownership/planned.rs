//! What the plans since the configuration make of one remote object: two resources must not both have it.
//!
//! A replacement is planned in two calls: as a change of the object that is there, then as a creation with the private state
//! of that object. It is the only creation that may follow a plan that keeps the object.

use std::collections::BTreeSet;

use super::Owner;

/// The plans for one object.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// A plan makes it.
    created: bool,
    /// Those that have it, and keep it as far as their plans say.
    kept: BTreeSet<Owner>,
}

/// Two resources of one configuration are to have one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Both make it.
    BothMake,
    /// One has it already, the other makes it.
    OneHasIt,
}

impl Planned {
    pub(super) fn is_created(&self) -> bool {
        self.created
    }

    pub(super) fn create(&mut self, replaced: Option<&Owner>) -> Result<(), Conflict> {
        if let Some(replaced) = replaced {
            self.kept.remove(replaced);
        }
        if std::mem::replace(&mut self.created, true) {
            return Err(Conflict::BothMake);
        }
        if self.kept.is_empty() {
            Ok(())
        } else {
            Err(Conflict::OneHasIt)
        }
    }

    pub(super) fn keep(&mut self, owner: Owner) -> Result<(), Conflict> {
        self.kept.insert(owner);
        if self.created {
            Err(Conflict::OneHasIt)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Call<'a> {
        Create(Option<&'a str>),
        Keep(&'a str),
    }
    use Call::{Create, Keep};

    /// The last call has this result; those before it are fine.
    #[track_caller]
    fn check(calls: &[Call<'_>], want: Result<(), Conflict>) {
        let owner = |name: &str| Owner::from(name.to_owned());
        let mut planned = Planned::default();
        let results = calls.iter().map(|call| match call {
            Create(replaced) => planned.create(replaced.map(owner).as_ref()),
            Keep(name) => planned.keep(owner(name)),
        });
        let mut results: Vec<_> = results.collect();
        assert_eq!(results.pop(), Some(want));
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }

    #[test]
    fn one_resource_may_make_keep_or_replace_an_object() {
        check(&[Create(None)], Ok(()));
        check(&[Keep("a")], Ok(()));
        check(&[Keep("a"), Keep("a")], Ok(()));
        check(&[Keep("a"), Create(Some("a"))], Ok(()));
        // The replacement of one that has another object now, and the object of this one is gone.
        check(&[Create(Some("a"))], Ok(()));
    }

    #[test]
    fn two_resources_may_not_have_one_object() {
        check(&[Create(None), Create(None)], Err(Conflict::BothMake));
        check(&[Keep("a"), Create(None)], Err(Conflict::OneHasIt));
        check(&[Create(None), Keep("a")], Err(Conflict::OneHasIt));
        check(&[Keep("b"), Create(Some("a"))], Err(Conflict::OneHasIt));
        let mut planned = Planned::default();
        let a = Owner::from("a".to_owned());
        assert_eq!(planned.keep(a.clone()), Ok(()));
        assert_eq!(planned.create(Some(&a)), Ok(()));
        assert_eq!(planned.create(None), Err(Conflict::BothMake));
    }
}
