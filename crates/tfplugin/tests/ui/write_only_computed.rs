//! What is never stored cannot be computed.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(optional, computed, write_only)]
    name: Option<String>,
}

fn main() {}
