//! closedchan: every operation on a closed channel.

use transputer_guest::{Error, Receiver, Sender, channel, select};

/// The ways to say the same operation.
#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    Select,
    SelectWithOther,
}

/// What the operations need besides the channel under test.
struct Operations {
    form: Form,
    /// Stays open, and idle.
    other: Receiver<u64>,
}

impl Operations {
    fn receive(&self, from: &Receiver<u64>) -> Result<u64, Error> {
        match self.form {
            Form::Plain => from.receive(),
            Form::Select => select! { got = receive(from) => got }?,
            Form::SelectWithOther => select! {
                got = receive(from) => got,
                got = receive(self.other) => got,
            }?,
        }
    }

    fn try_receive(&self, from: &Receiver<u64>) -> Result<u64, Error> {
        match self.form {
            Form::Plain => from.try_receive(),
            Form::Select => select! {
                got = receive(from) => got,
                skip => Err(Error::WouldBlock),
            }?,
            Form::SelectWithOther => select! {
                got = receive(self.other) => got,
                got = receive(from) => got,
                skip => Err(Error::WouldBlock),
            }?,
        }
    }

    fn send(&self, to: &Sender<u64>) -> Result<(), Error> {
        match self.form {
            Form::Plain => to.send(2),
            Form::Select => select! { sent = send(to, &2) => sent }?,
            Form::SelectWithOther => select! {
                sent = send(to, &2) => sent,
                got = receive(self.other) => got.map(drop),
            }?,
        }
    }

    fn try_send(&self, to: &Sender<u64>) -> Result<(), Error> {
        match self.form {
            Form::Plain => to.try_send(1),
            Form::Select => select! {
                sent = send(to, &1) => sent,
                skip => Err(Error::WouldBlock),
            }?,
            Form::SelectWithOther => select! {
                got = receive(self.other) => got.map(drop),
                sent = send(to, &1) => sent,
                skip => Err(Error::WouldBlock),
            }?,
        }
    }

    /// Fails unless both ways to receive find the channel closed, again and again.
    fn is_closed(&self, receiver: &Receiver<u64>) -> Result<(), Error> {
        for _ in 0..3 {
            self.expect(self.receive(receiver), Err(Error::Closed))?;
            self.expect(self.try_receive(receiver), Err(Error::Closed))?;
        }
        Ok(())
    }

    fn expect<T: PartialEq + std::fmt::Debug>(&self, got: T, expected: T) -> Result<(), Error> {
        if got == expected {
            return Ok(());
        }
        Err(format!("{:?}: {got:?} instead of {expected:?}", self.form).into())
    }
}

/// Closes channels at either side, empty and with a message in them.
#[transputer_guest::process]
fn closedchan() -> Result<(), Error> {
    for form in [Form::Plain, Form::Select, Form::SelectWithOther] {
        let (_open, other) = channel(0)?;
        let operations = Operations { form, other };

        // The senders are gone, and nothing waits.
        let (sender, receiver) = channel(0)?;
        sender.close();
        operations.is_closed(&receiver)?;

        // The senders are gone, and a message waits: it comes first, however it is asked for.
        for waiting in [Operations::receive, Operations::try_receive] {
            let (sender, receiver) = channel(2)?;
            sender.send(1)?;
            sender.close();
            operations.expect(waiting(&operations, &receiver), Ok(1))?;
            operations.is_closed(&receiver)?;
        }

        // The receivers are gone: an error for whoever sends, and no panic.
        for capacity in [0, 2] {
            let (sender, receiver) = channel(capacity)?;
            receiver.close();
            for _ in 0..3 {
                operations.expect(operations.try_send(&sender), Err(Error::Closed))?;
                operations.expect(operations.send(&sender), Err(Error::Closed))?;
            }
            operations.expect(sender.statistics().sent, 0)?;
        }
    }
    Ok(())
}
