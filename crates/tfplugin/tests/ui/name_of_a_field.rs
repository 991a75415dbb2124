//! A struct's own function cannot have the name of a field: that is the field's path.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(optional)]
    name: Option<String>,
}

impl Thing {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

fn main() {}
