//! Variables, and the frames that hold them.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::ast::Name;
use super::super::error::Failure;
use super::super::meter::{Charge, Meter};
use super::Value;

/// What a frame counts, and each variable in it.
const FRAME_BYTES: usize = 128;
const VARIABLE_BYTES: usize = 64;

pub(in super::super) type Env = Rc<Frame>;

/// The variables of a block, a call or a step.
#[derive(Debug)]
pub(in super::super) struct Frame {
    inner: RefCell<Inner>,
    outer: Option<Env>,
}

#[derive(Debug)]
struct Inner {
    variables: Vec<(Name, Value)>,
    charge: Charge,
}

/// All frames that hold functions. A function holds the frame that it was made in, so that such frames may hold each
/// other; they are emptied at the end of the evaluation.
#[derive(Debug, Default)]
pub(in super::super) struct Tied(RefCell<Vec<Env>>);

impl Drop for Tied {
    fn drop(&mut self) {
        for frame in self.0.borrow().iter() {
            frame.inner.borrow_mut().variables.clear();
        }
    }
}

/// A frame within another.
pub(in super::super) fn frame(meter: &Rc<Meter>, outer: Option<&Env>) -> Result<Env, Failure> {
    Ok(Rc::new(Frame {
        inner: RefCell::new(Inner {
            variables: Vec::new(),
            charge: meter.hold(FRAME_BYTES)?,
        }),
        outer: outer.cloned(),
    }))
}

/// Sets a variable of this frame.
pub(in super::super) fn bind(tied: &Tied, env: &Env, name: &Name, value: Value) -> Result<(), Failure> {
    if value.has_functions() {
        let mut frames = tied.0.borrow_mut();
        if !frames.last().is_some_and(|last| Rc::ptr_eq(last, env)) {
            env.inner.borrow_mut().charge.grow(size_of::<Env>())?;
            frames.push(Rc::clone(env));
        }
    }
    let mut inner = env.inner.borrow_mut();
    if let Some(slot) = inner.variables.iter().position(|(known, _)| known == name) {
        inner.variables[slot].1 = value;
        return Ok(());
    }
    inner.charge.grow(VARIABLE_BYTES)?;
    inner.variables.push((Name::clone(name), value));
    Ok(())
}

/// The variable of the nearest frame that has it.
pub(in super::super) fn look_up(env: &Env, name: &str) -> Option<Value> {
    let mut frame = Some(env);
    while let Some(current) = frame {
        let inner = current.inner.borrow();
        if let Some((_, value)) = inner.variables.iter().find(|(known, _)| **known == *name) {
            return Some(value.clone());
        }
        drop(inner);
        frame = current.outer.as_ref();
    }
    None
}
