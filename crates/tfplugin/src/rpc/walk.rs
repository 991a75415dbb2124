//! What this process has seen of the client's walk: a plan or an apply. Each begins with a configuration.
//!
//! An apply plans each change once more, and shows the warnings of that plan beside those that the user has read before
//! approving the first one. The protocol does not say which of the two a call is of. Three things do, as far as they go:
//!
//! - Something was applied in this walk: a plan applies nothing.
//! - Something was read: an apply reads nothing.
//! - The client allows deferrals: Terraform does in an apply, and in plans of stacks alone; OpenTofu never does.

use std::sync::atomic::{AtomicBool, Ordering};

/// The walk since the configuration.
#[derive(Debug, Default)]
pub(super) struct Walk {
    has_read: AtomicBool,
    has_applied: AtomicBool,
}

impl Walk {
    /// The provider is configured.
    pub(super) fn begin(&self) {
        self.has_read.store(false, Ordering::SeqCst);
        self.has_applied.store(false, Ordering::SeqCst);
    }

    /// An object is read.
    pub(super) fn reads(&self) {
        self.has_read.store(true, Ordering::SeqCst);
    }

    /// An object is made, changed or removed.
    pub(super) fn applies(&self) {
        self.has_applied.store(true, Ordering::SeqCst);
    }

    /// Whether a plan is one that an apply makes once more, as far as it can be told.
    pub(super) fn is_apply(&self, deferral_allowed: bool) -> bool {
        self.has_applied.load(Ordering::SeqCst) || deferral_allowed && !self.has_read.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::Walk;

    #[test]
    fn an_apply_is_told_by_what_it_does() {
        for (reads, applies, deferral_allowed, is_apply) in [
            (false, false, false, false),
            (false, false, true, true),
            (true, false, true, false),
            (true, false, false, false),
            (false, true, false, true),
        ] {
            let walk = Walk::default();
            if reads {
                walk.reads();
            }
            if applies {
                walk.applies();
            }
            assert_eq!(
                walk.is_apply(deferral_allowed),
                is_apply,
                "{walk:?} {deferral_allowed}"
            );
            walk.begin();
            assert!(!walk.is_apply(false), "{walk:?}");
        }
    }
}
