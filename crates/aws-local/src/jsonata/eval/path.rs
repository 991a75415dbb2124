//! Paths: each step applied to each value that the one before gave.

use super::super::ast::{Kind, Node, Stage};
use super::super::error::Failure;
use super::super::value::frame::Env;
use super::super::value::{Array, Items, Value, sequence_of};
use super::tuples::Tuples;
use super::{Evaluated, Evaluator};

impl Evaluator<'_> {
    pub(super) fn path(&self, node: &Node, input: &Value, env: &Env) -> Evaluated {
        let Kind::Path {
            steps,
            keep_singleton,
        } = &node.kind
        else {
            return Ok(Value::Undefined);
        };
        let absolute = steps
            .first()
            .is_some_and(|step| matches!(step.kind, Kind::Variable(_)));
        let mut current = match input {
            Value::Array(array) if !absolute => array.clone(),
            single => sequence_of(&self.meter, single.clone())?,
        };
        let mut tuples: Option<Tuples> = None;
        let mut streams = false;
        for (at, step) in steps.iter().enumerate() {
            streams |= step.step.tuple;
            let next = if at == 0 && step.is_whole() {
                match self.eval(step, &Value::Array(current.clone()), env)? {
                    Value::Array(array) => array,
                    Value::Undefined => Items::new(&self.meter)?.sequence()?,
                    other => sequence_of(&self.meter, other)?,
                }
            } else if streams {
                tuples = Some(self.tuple_step(step, &current, tuples, env)?);
                continue;
            } else {
                self.step(step, &current, env, at + 1 == steps.len())?
            };
            current = next;
            if !streams && current.is_empty() {
                break;
            }
        }
        self.path_result(node, current, tuples.filter(|_| streams), *keep_singleton, env)
    }

    fn path_result(
        &self,
        node: &Node,
        current: Array,
        tuples: Option<Tuples>,
        keep_singleton: bool,
        env: &Env,
    ) -> Evaluated {
        if let (Some(group), Some(tuples)) = (&node.group, &tuples) {
            return self.group_tuples(group, tuples, env);
        }
        let mut result = match tuples {
            Some(tuples) if node.step.tuple => return Ok(tuples.finish()),
            Some(tuples) => tuples.values(&self.meter)?,
            None => current,
        };
        if keep_singleton {
            if result.whole && !result.sequence {
                result = sequence_of(&self.meter, Value::Array(result))?;
            }
            result.keep = true;
        }
        match &node.group {
            Some(group) => self.group(group, &Value::Array(result), env),
            None => Ok(Value::Array(result)),
        }
    }

    fn step(&self, step: &Node, input: &Array, env: &Env, last: bool) -> Result<Array, Failure> {
        if let Kind::Sort(terms) = &step.kind {
            let mut sorted = self.sort(terms, input, step.position, env)?;
            for stage in &step.step.stages {
                if let Stage::Filter(filter) = stage {
                    sorted = self.filtered(filter, Value::Array(sorted), env)?;
                }
            }
            return Ok(sorted);
        }
        let mut results = Items::new(&self.meter)?;
        for item in input.iter() {
            let mut value = self.eval(step, item, env)?;
            for stage in &step.step.stages {
                if let Stage::Filter(filter) = stage {
                    value = Value::Array(self.filtered(filter, value, env)?);
                }
            }
            if !value.is_undefined() {
                results.push(value)?;
            }
        }
        if let (true, [Value::Array(only)]) = (last, results.items())
            && !only.sequence
        {
            return Ok(only.clone());
        }
        let mut flat = Items::new(&self.meter)?;
        for value in results.items() {
            match value {
                Value::Array(array) if !array.whole => flat.extend(array)?,
                other => flat.push(other.clone())?,
            }
        }
        flat.sequence()
    }

    fn filtered(&self, filter: &Node, value: Value, env: &Env) -> Result<Array, Failure> {
        match self.filter(filter, value, env)? {
            Value::Array(array) => Ok(array),
            other => sequence_of(&self.meter, other),
        }
    }
}
