//! An operation as the tables list it: its name, how its input is decoded, and the function that carries it out.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Output;
use super::call::Call;
use crate::fault::Fault;

/// One operation, whose input is an `I` and whose output an `O`.
pub(crate) struct Op<I, O> {
    name: &'static str,
    writes: bool,
    decode: fn(&Value) -> Result<I, serde_json::Error>,
    /// What takes long and needs no state, such as compiling a pattern.
    prepare: fn(&mut I),
    function: fn(&mut Call<'_>, I) -> Result<O, Fault>,
}

/// An operation whose input is decoded: the rest needs the state.
pub(crate) type Run<'b> = Box<dyn FnOnce(&mut Call<'_>) -> Result<Output, Fault> + Send + 'b>;

/// An operation that changes state, and whose input is long: it borrows the texts of the body.
pub(crate) struct LongOp {
    name: &'static str,
    decode: for<'b> fn(&'b Value) -> Result<Run<'b>, serde_json::Error>,
}

/// Operations of all input types, for one table.
pub(crate) trait Operation: Sync {
    fn name(&self) -> &'static str;

    /// Whether it may change state, and so has to be stored.
    fn writes(&self) -> bool;

    /// Reads the input. What takes long and needs no state is done here, before the engine's lock is taken, but not for a
    /// stored request, which was accepted when it came.
    fn decode<'b>(&self, body: &'b Value, stored: bool) -> Result<Run<'b>, Fault>;
}

impl<I: DeserializeOwned, O> Op<I, O> {
    pub(crate) const fn read(name: &'static str, function: fn(&mut Call<'_>, I) -> Result<O, Fault>) -> Self {
        Self {
            name,
            writes: false,
            decode: |body| I::deserialize(body),
            prepare: |_| (),
            function,
        }
    }

    pub(crate) const fn write(
        name: &'static str,
        function: fn(&mut Call<'_>, I) -> Result<O, Fault>,
    ) -> Self {
        Self {
            writes: true,
            ..Self::read(name, function)
        }
    }
}

impl<I, O> Op<I, O> {
    /// The same operation, whose input is prepared before the engine's lock is taken.
    pub(crate) const fn prepared(self, prepare: fn(&mut I)) -> Self {
        Self { prepare, ..self }
    }
}

impl<I: Send + 'static, O: Into<Output> + 'static> Operation for Op<I, O> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn writes(&self) -> bool {
        self.writes
    }

    fn decode<'b>(&self, body: &'b Value, stored: bool) -> Result<Run<'b>, Fault> {
        let (mut input, function) = ((self.decode)(body)?, self.function);
        if !stored {
            (self.prepare)(&mut input);
        }
        Ok(Box::new(move |call| function(call, input).map(Into::into)))
    }
}

impl LongOp {
    pub(crate) const fn write(
        name: &'static str,
        decode: for<'b> fn(&'b Value) -> Result<Run<'b>, serde_json::Error>,
    ) -> Self {
        Self { name, decode }
    }
}

impl Operation for LongOp {
    fn name(&self) -> &'static str {
        self.name
    }

    fn writes(&self) -> bool {
        true
    }

    fn decode<'b>(&self, body: &'b Value, _: bool) -> Result<Run<'b>, Fault> {
        Ok((self.decode)(body)?)
    }
}
