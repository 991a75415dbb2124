//! Only what the provider computes can be kept.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(optional, use_state_for_unknown)]
    name: Option<String>,
}

fn main() {}
