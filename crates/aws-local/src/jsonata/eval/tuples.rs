//! Steps of a path that bind variables: `@$x`, `#$i`, and what `%` looks for.

use std::rc::Rc;

use super::super::ast::{Kind, Name, Node, Stage};
use super::super::error::Failure;
use super::super::meter::{Charge, Meter};
use super::super::number;
use super::super::value::frame::{Env, bind, frame};
use super::super::value::{Array, Items, Tuple, Value};
use super::Evaluator;

/// What a tuple counts, and each variable of it.
const TUPLE_BYTES: usize = 64;

/// Values on their way through a path, with their variables.
#[derive(Debug)]
pub(super) struct Tuples {
    items: Vec<Tuple>,
    charge: Charge,
}

impl Tuples {
    fn new(meter: &Rc<Meter>) -> Result<Self, Failure> {
        Ok(Self {
            items: Vec::new(),
            charge: meter.hold(TUPLE_BYTES)?,
        })
    }

    fn push(&mut self, tuple: Tuple) -> Result<(), Failure> {
        self.charge.grow(TUPLE_BYTES * (1 + tuple.bound.len()))?;
        self.items.push(tuple);
        Ok(())
    }

    pub(super) fn items(&self) -> &[Tuple] {
        &self.items
    }

    pub(super) fn values(&self, meter: &Rc<Meter>) -> Result<Array, Failure> {
        let mut items = Items::new(meter)?;
        for tuple in &self.items {
            items.push(tuple.value.clone())?;
        }
        items.sequence()
    }

    pub(super) fn finish(self) -> Value {
        Value::Tuples(Rc::new(self.items))
    }
}

fn set(bound: &mut Vec<(Name, Value)>, name: &Name, value: Value) {
    match bound.iter_mut().find(|(known, _)| known == name) {
        Some(known) => known.1 = value,
        None => bound.push((Name::clone(name), value)),
    }
}

impl Evaluator<'_> {
    /// The variables of a tuple, in a frame of their own.
    pub(super) fn tuple_env(&self, env: &Env, bound: &[(Name, Value)]) -> Result<Env, Failure> {
        let inner = frame(&self.meter, Some(env))?;
        for (name, value) in bound {
            bind(&self.tied, &inner, name, value.clone())?;
        }
        Ok(inner)
    }

    pub(super) fn tuple_step(
        &self,
        step: &Node,
        input: &Array,
        before: Option<Tuples>,
        env: &Env,
    ) -> Result<Tuples, Failure> {
        let mut result = if let Kind::Sort(terms) = &step.kind {
            match before {
                Some(tuples) => self.sort_tuples(terms, tuples, step.position, env)?,
                None => self.numbered(step, &self.sort(terms, input, step.position, env)?)?,
            }
        } else {
            let before = match before {
                Some(tuples) => tuples,
                None => self.unbound(input)?,
            };
            let mut result = Tuples::new(&self.meter)?;
            for tuple in &before.items {
                self.tuple_values(step, tuple, env, &mut result)?;
            }
            result
        };
        for stage in &step.step.stages {
            result = match stage {
                Stage::Filter(filter) => self.filter_tuples(filter, &result, env)?,
                Stage::Index(name) => {
                    for (at, tuple) in result.items.iter_mut().enumerate() {
                        set(&mut tuple.bound, name, Value::Number(number::from_count(at)));
                    }
                    result
                }
            };
        }
        Ok(result)
    }

    fn sort_tuples(
        &self,
        terms: &[super::super::ast::Term],
        tuples: Tuples,
        position: usize,
        env: &Env,
    ) -> Result<Tuples, Failure> {
        let mut sorted = Tuples::new(&self.meter)?;
        let items = self.merge_sort(tuples.items, &mut |left: &Tuple, right: &Tuple| {
            let (left_env, right_env) = (
                self.tuple_env(env, &left.bound)?,
                self.tuple_env(env, &right.bound)?,
            );
            self.comes_after(
                terms,
                (&left.value, &left_env),
                (&right.value, &right_env),
                position,
            )
        })?;
        for tuple in items {
            sorted.push(tuple)?;
        }
        Ok(sorted)
    }

    fn numbered(&self, step: &Node, sorted: &Array) -> Result<Tuples, Failure> {
        let mut tuples = self.unbound(sorted)?;
        if let Some(name) = &step.step.index {
            for (at, tuple) in tuples.items.iter_mut().enumerate() {
                set(&mut tuple.bound, name, Value::Number(number::from_count(at)));
            }
        }
        Ok(tuples)
    }

    fn unbound(&self, values: &Array) -> Result<Tuples, Failure> {
        let mut tuples = Tuples::new(&self.meter)?;
        for value in values.iter() {
            tuples.push(Tuple {
                value: value.clone(),
                bound: Vec::new(),
            })?;
        }
        Ok(tuples)
    }

    /// What a step makes of one tuple.
    fn tuple_values(&self, step: &Node, tuple: &Tuple, env: &Env, out: &mut Tuples) -> Result<(), Failure> {
        let inner = self.tuple_env(env, &tuple.bound)?;
        let value = self.eval(step, &tuple.value, &inner)?;
        if let Value::Tuples(found) = &value {
            for more in found.iter() {
                let mut bound = tuple.bound.clone();
                for (name, value) in &more.bound {
                    set(&mut bound, name, value.clone());
                }
                let value = more.value.clone();
                out.push(Tuple { value, bound })?;
            }
            return Ok(());
        }
        let values = match &value {
            Value::Undefined => &[],
            Value::Array(array) => &array[..],
            single => std::slice::from_ref(single),
        };
        for (at, value) in values.iter().enumerate() {
            let mut bound = tuple.bound.clone();
            let mut next = value.clone();
            if let Some(name) = &step.step.focus {
                set(&mut bound, name, next);
                next = tuple.value.clone();
            }
            if let Some(name) = &step.step.index {
                set(&mut bound, name, Value::Number(number::from_count(at)));
            }
            if let Some(slot) = step.step.ancestor {
                set(&mut bound, &self.program.ancestors[slot], tuple.value.clone());
            }
            out.push(Tuple { value: next, bound })?;
        }
        Ok(())
    }

    fn filter_tuples(&self, filter: &Node, tuples: &Tuples, env: &Env) -> Result<Tuples, Failure> {
        let mut passed = Tuples::new(&self.meter)?;
        let count = tuples.items.len();
        if let Kind::Number(index) = filter.kind {
            if let Some(place) = number::place(index, count) {
                passed.push(tuples.items[place].clone())?;
            }
            return Ok(passed);
        }
        for (at, tuple) in tuples.items.iter().enumerate() {
            let inner = self.tuple_env(env, &tuple.bound)?;
            let verdict = self.eval(filter, &tuple.value, &inner)?;
            for _ in 0..self.passes(&verdict, at, count)? {
                passed.push(tuple.clone())?;
            }
        }
        Ok(passed)
    }
}
