//! A list that mostly has one item, which then takes no memory of its own.

use std::ops::{Deref, DerefMut};

/// A list of none, one or more.
#[derive(Debug, Clone)]
pub(crate) enum Few<T> {
    One(T),
    Other(Vec<T>),
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Other(Vec::new())
    }
}

impl<T> Few<T> {
    pub(crate) fn push(&mut self, item: T) {
        self.insert(self.len(), item);
    }

    /// Like [`Vec::insert`]: `at` is no more than the length.
    pub(crate) fn insert(&mut self, at: usize, item: T) {
        *self = match std::mem::take(self) {
            Self::Other(none) if none.is_empty() => Self::One(item),
            Self::Other(mut more) => {
                more.insert(at, item);
                Self::Other(more)
            }
            Self::One(one) if at == 0 => Self::Other(vec![item, one]),
            Self::One(one) => Self::Other(vec![one, item]),
        };
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Other(all) => all,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::One(one) => std::slice::from_mut(one),
            Self::Other(all) => all,
        }
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(all: Vec<T>) -> Self {
        Self::Other(all)
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut all = Self::default();
        items.into_iter().for_each(|item| all.push(item));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_list_that_a_vec_would_be() {
        let (mut few, mut vec) = (Few::default(), Vec::new());
        for (at, item) in [(0, 'a'), (0, 'b'), (1, 'c'), (3, 'd'), (0, 'e')] {
            few.insert(at, item);
            vec.insert(at, item);
            assert_eq!(*few, *vec);
            few[0] = 'x';
            vec[0] = 'x';
        }
        let (mut pushed, one) = (Few::default(), Few::from_iter(['a']));
        pushed.push('a');
        assert_eq!(*pushed, *one);
        pushed.push('b');
        assert_eq!(*pushed, *Few::from(vec!['a', 'b']));
    }
}
