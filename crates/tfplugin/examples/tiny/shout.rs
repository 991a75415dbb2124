//! Function `shout`: says it louder.

use tfplugin::{Attrs, Function, FunctionError};

/// Says it louder.
#[derive(Attrs)]
pub(crate) struct Shout {
    /// What to say.
    #[tf(required)]
    text: String,
}

impl Function for Shout {
    const NAME: &'static str = "shout";
    type Output = String;

    fn call(self) -> Result<String, FunctionError> {
        match self.text.as_str() {
            "" => Err(FunctionError::new("there is nothing to say").at(Self::text())),
            text => Ok(text.to_uppercase()),
        }
    }
}
