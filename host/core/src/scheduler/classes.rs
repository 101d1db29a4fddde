//! Tasks in the order of classes of keys, and first in, first out in each.

use std::collections::VecDeque;

use super::run_queue::{EMPTY, LAST};

pub(super) struct Classes<T> {
    /// How many keys make a class.
    width: u64,
    /// Those that have tasks, in order. They are few: see `fair` on how far keys are apart.
    classes: VecDeque<Class<T>>,
    /// The memory of one that has been emptied.
    spare: Option<VecDeque<(u64, T)>>,
    len: usize,
}

struct Class<T> {
    number: u64,
    /// With their keys; never empty.
    tasks: VecDeque<(u64, T)>,
}

impl<T> Classes<T> {
    pub(super) fn new(width: u64) -> Self {
        Self {
            width: width.max(1),
            classes: VecDeque::new(),
            spare: None,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// `as_of`: the key that decides on its class.
    pub(super) fn insert(&mut self, as_of: u64, key: u64, task: T) {
        let number = as_of / self.width;
        let before = self
            .classes
            .iter()
            .rposition(|class| class.number <= number);
        self.len += 1;
        if let Some(class) = before.and_then(|place| self.classes.get_mut(place))
            && class.number == number
        {
            class.tasks.push_back((key, task));
            return;
        }
        let mut tasks = self.spare.take().unwrap_or_default();
        tasks.push_back((key, task));
        let place = before.map_or(0, |place| place + 1);
        self.classes.insert(place, Class { number, tasks });
    }

    pub(super) fn pop(&mut self) -> Option<(u64, T)> {
        let class = self.classes.front_mut()?;
        let first = class.tasks.pop_front();
        self.len -= 1;
        if class.tasks.is_empty() {
            self.spare = self.classes.pop_front().map(|class| class.tasks);
        }
        first
    }

    /// The key of the task that is next, or [`EMPTY`].
    pub(super) fn first(&self) -> u64 {
        let first = self.classes.front().and_then(|class| class.tasks.front());
        first.map_or(EMPTY, |(key, _)| *key)
    }

    /// The class of that task.
    pub(super) fn class_of_first(&self) -> u64 {
        self.classes.front().map_or(LAST, |class| class.number)
    }

    /// No key is smaller.
    pub(super) fn least(&self) -> u64 {
        let first = self.classes.front();
        first.map_or(EMPTY, |class| class.number * self.width)
    }

    /// The largest key, or 0.
    pub(super) fn last(&self) -> u64 {
        let last = self
            .classes
            .back()
            .into_iter()
            .flat_map(|class| &class.tasks);
        last.map(|(key, _)| *key).max().unwrap_or(0)
    }

    /// Takes all, and gives the memory back.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = T> + use<T> {
        let all = std::mem::replace(self, Self::new(self.width)).classes;
        let tasks = all.into_iter().flat_map(|class| class.tasks);
        tasks.map(|(_, task)| task)
    }
}
