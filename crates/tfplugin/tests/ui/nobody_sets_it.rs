//! An attribute that nobody sets.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(sensitive)]
    name: String,
}

fn main() {}
