//! `|pattern|update, delete|`: a copy of a value in which the objects that the pattern finds are changed.

use std::collections::HashMap;

use super::super::ast::Transform;
use super::super::error::{Failure, error};
use super::super::value::frame::Env;
use super::super::value::{Items, Members, Value};
use super::{Evaluated, Evaluator};

/// Changed objects by the identity of what they were.
type Changed = HashMap<usize, Value>;

impl Evaluator<'_> {
    pub(super) fn transform(&self, transform: &Transform, value: &Value, env: &Env) -> Evaluated {
        if !matches!(value, Value::Undefined | Value::Object(_) | Value::Array(_)) {
            let what = format!("a transform is given {}, not an object or array", value.what());
            return Err(error("T0410", what).or_at(transform.position));
        }
        let copy = self.copy(value)?;
        let matches = self.eval(&transform.pattern, &copy, env)?;
        let matches = match &matches {
            Value::Undefined => &[],
            Value::Array(array) => &array[..],
            single => std::slice::from_ref(single),
        };
        let mut changed = Changed::new();
        for found in matches {
            self.change(transform, found, env, &mut changed)?;
        }
        if changed.is_empty() {
            return Ok(copy);
        }
        self.rebuild(&copy, &changed, 0)
    }

    fn change(
        &self,
        transform: &Transform,
        found: &Value,
        env: &Env,
        changed: &mut Changed,
    ) -> Result<(), Failure> {
        let update = self.eval(&transform.update, found, env)?;
        let Value::Object(object) = found else {
            return Ok(());
        };
        let current = match changed.get(&object.identity()) {
            Some(Value::Object(current)) => current.clone(),
            _ => object.clone(),
        };
        let mut members = current.members(&self.meter)?;
        match &update {
            Value::Undefined => {}
            Value::Object(update) => {
                for (key, value) in update.entries() {
                    members.set(key.clone(), value.clone())?;
                }
            }
            other => {
                let what = format!("the update of a transform is {}, not an object", other.what());
                return Err(error("T2011", what).or_at(transform.update.position));
            }
        }
        if let Some(delete) = &transform.delete {
            let names = self.eval(delete, found, env)?;
            let names = match &names {
                Value::Undefined => &[],
                Value::Array(array) => &array[..],
                single => std::slice::from_ref(single),
            };
            for name in names {
                let Value::Text(name) = name else {
                    let what = format!(
                        "a transform deletes {}, and names of members are texts",
                        name.what()
                    );
                    return Err(error("T2012", what).or_at(delete.position));
                };
                members.remove(name)?;
            }
        }
        changed.insert(object.identity(), members.finish()?);
        Ok(())
    }

    /// A copy in which each object is one of its own.
    pub(super) fn copy(&self, value: &Value) -> Evaluated {
        self.rebuild(value, &Changed::new(), 0)
    }

    fn rebuild(&self, value: &Value, changed: &Changed, level: usize) -> Evaluated {
        self.meter.work(1)?;
        if level > 500 {
            return Err(Failure::Levels);
        }
        match value {
            Value::Array(array) => {
                let mut items = Items::new(&self.meter)?;
                for item in array.iter() {
                    items.push(self.rebuild(item, changed, level + 1)?)?;
                }
                Ok(Value::Array(items.array()?))
            }
            Value::Object(object) => {
                let object = match changed.get(&object.identity()) {
                    Some(Value::Object(changed)) => changed,
                    _ => object,
                };
                let mut members = Members::new(&self.meter)?;
                for (key, member) in object.entries() {
                    members.set(key.clone(), self.rebuild(member, changed, level + 1)?)?;
                }
                members.finish()
            }
            Value::Function(_) => Ok(Value::constant("")),
            other => Ok(other.clone()),
        }
    }
}
