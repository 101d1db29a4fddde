//! Every interleaving, up to a number of preemptions, of charging an account against giving back,
//! taking its credit away, and closing it.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p transputer-core --test loom_account --release`.
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use transputer_core::account::{Account, Accounts, Total};

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

type Setting = (Arc<Total<&'static str>>, Arc<Accounts<&'static str>>);

fn setting(allowed: u64) -> Setting {
    let total = Total::new("all", Some(allowed), None);
    (total, Arc::default())
}

fn open((total, accounts): &Setting) -> Account<&'static str> {
    let own = Total::new("own", None, Some(total.clone()));
    Account::open(own, accounts)
}

/// The sum of what is charged is never more than there is, whoever takes whose credit.
#[test]
fn charges_stay_within_the_total_while_credit_is_taken_away() {
    explore(|| {
        let setting = setting(4);
        let mut accounts = [open(&setting), open(&setting)];
        let [one, other] = &mut accounts;
        let mut held = vec![one.charge(1).expect("there is enough")];
        // The first has credit left, which the second needs.
        let (total, shared) = setting.clone();
        let taking = thread::spawn(move || {
            shared.release_surplus();
            assert!(total.used() <= 4);
        });
        held.extend(one.charge(1));
        held.extend(other.charge(1));
        held.extend(one.charge(1));
        taking.join().unwrap();
        let charged = held.len() as u64;
        assert!(setting.0.used() >= charged, "{charged} are charged");
        assert_eq!(charged, 4, "nobody is refused what there is");
        drop(held);
        drop(accounts);
        assert_eq!(setting.0.used(), 0);
    });
}

#[test]
fn two_owners_share_what_there_is() {
    explore(|| {
        let setting = setting(3);
        let (mut one, mut other) = (open(&setting), open(&setting));
        let charging = thread::spawn(move || {
            let charges = [other.charge(1), other.charge(1)];
            (charges.into_iter().flatten().collect::<Vec<_>>(), other)
        });
        let mut held: Vec<_> = [one.charge(1), one.charge(1)]
            .into_iter()
            .flatten()
            .collect();
        let (more, other) = charging.join().unwrap();
        held.extend(more);
        assert!(held.len() <= 3);
        assert!(setting.0.used() <= 3);
        drop((held, one, other));
        assert_eq!(setting.0.used(), 0);
    });
}

/// A charge that is dropped while its account is closed is given back once.
#[test]
fn closing_races_with_giving_back() {
    explore(|| {
        let setting = setting(8);
        let mut account = open(&setting);
        let charges = [account.charge(1), account.charge(2)].map(|it| it.expect("there is enough"));
        let [one, other] = charges.map(|charge| thread::spawn(move || drop(charge)));
        setting.1.release_surplus();
        drop(account);
        one.join().unwrap();
        other.join().unwrap();
        assert_eq!(setting.0.used(), 0);
    });
}

#[test]
fn credit_is_taken_away_while_the_account_is_closed() {
    explore(|| {
        let setting = setting(8);
        let mut account = open(&setting);
        let charge = account.charge(1).expect("there is enough");
        account.fix(2).expect("there is enough");
        let accounts = setting.1.clone();
        let taking = thread::spawn(move || {
            accounts.release_surplus();
            drop(charge);
        });
        drop(account);
        taking.join().unwrap();
        assert_eq!(setting.0.used(), 0);
    });
}
