//! Objects and groupings: values by key, in the order in which the keys came.

use std::collections::HashMap;

use super::super::ast::{Name, Node, Pairs};
use super::super::error::{Failure, error};
use super::super::value::frame::Env;
use super::super::value::{Items, Members, Text, Tuple, Value};
use super::tuples::Tuples;
use super::{Evaluated, Evaluator};

/// The items with one key, and which pair the key is from.
struct Group<T> {
    key: Text,
    pair: usize,
    items: Vec<T>,
}

impl Evaluator<'_> {
    pub(super) fn group(&self, pairs: &Pairs, input: &Value, env: &Env) -> Evaluated {
        let nothing = [Value::Undefined];
        let items = match input {
            Value::Array(array) if array.is_empty() => &nothing[..],
            Value::Array(array) => &array[..],
            single => std::slice::from_ref(single),
        };
        let groups = self.groups(pairs, items, |item, key| self.eval(key, item, env))?;
        let mut members = Members::new(&self.meter)?;
        for group in groups {
            let context = self.together(&group.items)?;
            let value = self.eval(&pairs.pairs[group.pair].1, &context, env)?;
            if !value.is_undefined() {
                members.set(group.key, value)?;
            }
        }
        members.finish()
    }

    pub(super) fn group_tuples(&self, pairs: &Pairs, tuples: &Tuples, env: &Env) -> Evaluated {
        let groups = self.groups(pairs, tuples.items(), |tuple, key| {
            let inner = self.tuple_env(env, &tuple.bound)?;
            self.eval(key, &tuple.value, &inner)
        })?;
        let mut members = Members::new(&self.meter)?;
        for group in groups {
            let (context, bound) = self.tuples_together(&group.items)?;
            let inner = self.tuple_env(env, &bound)?;
            let value = self.eval(&pairs.pairs[group.pair].1, &context, &inner)?;
            if !value.is_undefined() {
                members.set(group.key, value)?;
            }
        }
        members.finish()
    }

    fn groups<T: Clone>(
        &self,
        pairs: &Pairs,
        items: &[T],
        key_of: impl Fn(&T, &Node) -> Evaluated,
    ) -> Result<Vec<Group<T>>, Failure> {
        let mut groups: Vec<Group<T>> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut charge = self.meter.hold(0)?;
        for item in items {
            for (pair, (key, _)) in pairs.pairs.iter().enumerate() {
                let key = match key_of(item, key)? {
                    Value::Text(key) => key,
                    Value::Undefined => continue,
                    other => {
                        let what = format!("a key of an object is {}, not text", other.what());
                        return Err(error("T1003", what).or_at(pairs.position));
                    }
                };
                charge.grow(size_of::<T>())?;
                if let Some(place) = places.get(&*key) {
                    if groups[*place].pair != pair {
                        let what = format!("two keys of an object are {:?}", &*key);
                        return Err(error("D1009", what).or_at(pairs.position));
                    }
                    groups[*place].items.push(item.clone());
                    continue;
                }
                charge.grow(2 * key.len() + 128)?;
                places.insert(key.to_string(), groups.len());
                groups.push(Group {
                    key,
                    pair,
                    items: vec![item.clone()],
                });
            }
        }
        Ok(groups)
    }

    /// The single item, or an array of all.
    fn together(&self, items: &[Value]) -> Evaluated {
        if let [only] = items {
            return Ok(only.clone());
        }
        let mut all = Items::new(&self.meter)?;
        for item in items {
            if !item.is_undefined() {
                all.append(item)?;
            }
        }
        Ok(Value::Array(all.array()?))
    }

    fn tuples_together(&self, tuples: &[Tuple]) -> Result<(Value, Vec<(Name, Value)>), Failure> {
        if let [only] = tuples {
            return Ok((only.value.clone(), only.bound.clone()));
        }
        let values: Vec<Value> = tuples.iter().map(|tuple| tuple.value.clone()).collect();
        let mut names: Vec<&Name> = Vec::new();
        for (name, _) in tuples.iter().flat_map(|tuple| &tuple.bound) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut bound = Vec::new();
        for name in names {
            let of_name = tuples.iter().flat_map(|tuple| &tuple.bound);
            let of_name = of_name.filter(|(known, _)| known == name);
            let values: Vec<Value> = of_name.map(|(_, value)| value.clone()).collect();
            bound.push((Name::clone(name), self.together(&values)?));
        }
        Ok((self.together(&values)?, bound))
    }
}
