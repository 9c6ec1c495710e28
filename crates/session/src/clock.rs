//! All that a session waits for in time, on one timer.

use std::collections::BTreeSet;
use std::pin::Pin;

use protocol::{CallId, KernelId};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::machine::Timer;

/// What a clock is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// A call's.
    Call(CallId, Timer),
    /// Until a kernel must have said that it is ready.
    Kernel(KernelId),
    /// Until init must have answered.
    Hello,
    /// Until the disk is to be measured.
    Disk,
    /// Until what changed in the workspace is saved.
    Keep,
    /// Until the session's time is up.
    Life,
    /// Until the session may have been idle for too long.
    Idle,
    /// Until the cell is destroyed whoever still looks at its files.
    Destroy,
}

/// The alarms that are set.
#[derive(Debug)]
pub(crate) struct Clock {
    due: BTreeSet<(Instant, Alarm)>,
    sleep: Pin<Box<Sleep>>,
    /// When the timer goes off, while it runs. Often too early: a call that ended leaves it as it is.
    set: Option<Instant>,
}

impl Clock {
    /// No alarm.
    pub(crate) fn new() -> Clock {
        Clock { due: BTreeSet::new(), sleep: Box::pin(sleep_until(Instant::now())), set: None }
    }

    /// Sets an alarm.
    pub(crate) fn arm(&mut self, at: Instant, alarm: Alarm) {
        self.due.insert((at, alarm));
    }

    /// Whether an alarm is set.
    pub(crate) fn is_armed(&self, alarm: Alarm) -> bool {
        self.due.iter().any(|(_, each)| *each == alarm)
    }

    /// Takes back the alarms that are not wanted any more.
    pub(crate) fn disarm(&mut self, unwanted: impl Fn(Alarm) -> bool) {
        self.due.retain(|(_, alarm)| !unwanted(*alarm));
    }

    /// The next alarm, when its time has come. May be given up at any time.
    pub(crate) async fn next(&mut self) -> Alarm {
        loop {
            let Some(&(at, alarm)) = self.due.first() else { return std::future::pending().await };
            if at <= Instant::now() {
                self.due.pop_first();
                return alarm;
            }
            if self.set.is_none_or(|set| at < set) {
                self.sleep.as_mut().reset(at);
                self.set = Some(at);
            }
            self.sleep.as_mut().await;
            self.set = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn alarms_come_in_the_order_of_their_times() {
        let now = Instant::now();
        let mut clock = Clock::new();
        clock.arm(now + Duration::from_secs(2), Alarm::Disk);
        clock.arm(now + Duration::from_secs(1), Alarm::Hello);
        clock.arm(now + Duration::from_secs(3), Alarm::Idle);
        assert_eq!(clock.next().await, Alarm::Hello);
        clock.disarm(|alarm| alarm == Alarm::Disk);
        assert!(!clock.is_armed(Alarm::Disk) && clock.is_armed(Alarm::Idle));
        assert_eq!(clock.next().await, Alarm::Idle);
        assert_eq!(Instant::now() - now, Duration::from_secs(3));
        assert!(tokio::time::timeout(Duration::from_secs(60), clock.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_alarm_overtakes_a_timer_that_runs() {
        let now = Instant::now();
        let mut clock = Clock::new();
        clock.arm(now + Duration::from_secs(10), Alarm::Life);
        assert!(tokio::time::timeout(Duration::from_secs(1), clock.next()).await.is_err());
        clock.arm(now + Duration::from_secs(2), Alarm::Disk);
        assert_eq!(clock.next().await, Alarm::Disk);
        assert_eq!(Instant::now() - now, Duration::from_secs(2));
        assert_eq!(clock.next().await, Alarm::Life);
    }
}
