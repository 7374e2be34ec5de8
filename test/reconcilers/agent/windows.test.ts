import { describe, expect, test } from '@jest/globals'
import type { Window } from '../../../crds/types.gen.ts'
import { fillAllowance } from '../../../reconcilers/agent/windows.ts'

interface Case {
  readonly reason: string
  readonly windows: readonly Window[]
  readonly timeZone?: string
  readonly now: string
  readonly open: boolean
  readonly rate?: number
  readonly changesAt?: string
}

const night: Window = { start: '22:00', end: '06:00' }

const cases: Case[] = [
  { reason: 'no windows means always', windows: [], now: '2030-01-01T00:00:00Z', open: true },
  {
    reason: 'closed before it starts, and says when',
    windows: [{ start: '02:00', end: '08:00' }],
    now: '2030-01-01T01:59:59.999Z',
    open: false,
    rate: 0,
    changesAt: '2030-01-01T02:00:00.000Z',
  },
  {
    reason: 'the start is inside',
    windows: [{ start: '02:00', end: '08:00' }],
    now: '2030-01-01T02:00:00Z',
    open: true,
    changesAt: '2030-01-01T08:00:00.000Z',
  },
  {
    reason: 'the end is outside',
    windows: [{ start: '02:00', end: '08:00' }],
    now: '2030-01-01T08:00:00Z',
    open: false,
    rate: 0,
    changesAt: '2030-01-02T02:00:00.000Z',
  },
  {
    reason: 'passes midnight',
    windows: [night],
    now: '2030-01-01T03:00:00Z',
    open: true,
    changesAt: '2030-01-01T06:00:00.000Z',
  },
  {
    reason: 'a window belongs to the day it starts on: Saturday night reaches into Sunday',
    windows: [{ ...night, days: ['Sat'] }],
    now: '2030-01-06T05:00:00Z', // a Sunday
    open: true,
    changesAt: '2030-01-06T06:00:00.000Z',
  },
  {
    reason: 'and not into Monday',
    windows: [{ ...night, days: ['Sat'] }],
    now: '2030-01-06T23:00:00Z',
    open: false,
    rate: 0,
    changesAt: '2030-01-12T22:00:00.000Z',
  },
  {
    reason: 'end equal to start is 24 hours, here of one day',
    windows: [{ days: ['Wed'], start: '12:00', end: '12:00' }],
    now: '2030-01-03T11:59:00Z', // a Thursday
    open: true,
    changesAt: '2030-01-03T12:00:00.000Z',
  },
  {
    reason: 'end equal to start on every day never closes',
    windows: [{ start: '12:00', end: '12:00' }],
    now: '2030-01-03T11:59:00Z',
    open: true,
  },
  {
    reason: 'windows that follow each other make one',
    windows: [
      { start: '00:00', end: '04:00' },
      { start: '04:00', end: '09:00' },
    ],
    now: '2030-01-01T01:00:00Z',
    open: true,
    changesAt: '2030-01-01T09:00:00.000Z',
  },
  {
    reason: 'a cap in Gbit/s becomes bytes per second, and its end is a change though the next window is open',
    windows: [
      { start: '00:00', end: '04:00', maxGbps: 0.8 },
      { start: '04:00', end: '09:00', maxGbps: 1.6 },
    ],
    now: '2030-01-01T01:00:00Z',
    open: true,
    rate: 100_000_000,
    changesAt: '2030-01-01T04:00:00.000Z',
  },
  {
    reason: 'of windows that overlap the most generous counts',
    windows: [
      { start: '00:00', end: '08:00', maxGbps: 1 },
      { start: '02:00', end: '03:00' },
    ],
    now: '2030-01-01T02:30:00Z',
    open: true,
    changesAt: '2030-01-01T03:00:00.000Z',
  },
  {
    reason: 'local time, ahead of UTC by a half hour',
    windows: [{ start: '02:00', end: '08:00' }],
    timeZone: 'Asia/Kolkata',
    now: '2030-01-01T00:00:00Z', // 05:30
    open: true,
    changesAt: '2030-01-01T02:30:00.000Z',
  },
  {
    reason: 'the weekday is the local one',
    windows: [{ days: ['Tue'], start: '00:00', end: '23:00' }],
    timeZone: 'Pacific/Auckland',
    now: '2029-12-31T12:00:00Z', // Tuesday 01:00 there
    open: true,
    changesAt: '2030-01-01T10:00:00.000Z',
  },
  {
    reason: 'clocks go forward over its start: opens as the clock jumps past it',
    windows: [{ start: '02:30', end: '06:00' }],
    timeZone: 'Europe/Berlin',
    now: '2030-03-31T00:30:00Z', // 01:30; at 01:00Z 02:00 becomes 03:00
    open: false,
    rate: 0,
    changesAt: '2030-03-31T01:00:00.000Z',
  },
  {
    reason: 'clocks go forward within it: one hour shorter',
    windows: [{ start: '00:00', end: '06:00' }],
    timeZone: 'Europe/Berlin',
    now: '2030-03-30T23:00:00Z',
    open: true,
    changesAt: '2030-03-31T04:00:00.000Z',
  },
  {
    reason: 'a window inside the skipped hour does not happen that day',
    windows: [{ start: '02:10', end: '02:50' }],
    timeZone: 'Europe/Berlin',
    now: '2030-03-31T00:50:00Z', // 01:50
    open: false,
    rate: 0,
    changesAt: '2030-04-01T00:10:00.000Z',
  },
  {
    reason: 'a weekly window inside the skipped hour comes back a week later',
    windows: [{ days: ['Sun'], start: '02:10', end: '02:50' }],
    timeZone: 'Europe/Berlin',
    now: '2030-03-24T02:00:00Z',
    open: false,
    rate: 0,
    changesAt: '2030-04-07T00:10:00.000Z',
  },
  {
    reason: 'clocks go back within it: one hour longer',
    windows: [{ start: '00:00', end: '06:00' }],
    timeZone: 'Europe/Berlin',
    now: '2030-10-26T22:00:00Z',
    open: true,
    changesAt: '2030-10-27T05:00:00.000Z',
  },
  {
    reason: 'a window inside the hour lived twice closes after the first…',
    windows: [{ start: '02:10', end: '02:50' }],
    timeZone: 'Europe/Berlin',
    now: '2030-10-27T00:20:00Z', // 02:20, summer time
    open: true,
    changesAt: '2030-10-27T00:50:00.000Z',
  },
  {
    reason: '…and opens again for the second',
    windows: [{ start: '02:10', end: '02:50' }],
    timeZone: 'Europe/Berlin',
    now: '2030-10-27T00:50:00Z',
    open: false,
    rate: 0,
    changesAt: '2030-10-27T01:10:00.000Z',
  },
  {
    reason: 'clocks go back into a window that had closed: it opens with the jump',
    windows: [{ start: '01:00', end: '02:30' }],
    timeZone: 'Europe/Berlin',
    now: '2030-10-27T00:40:00Z', // 02:40, summer time
    open: false,
    rate: 0,
    changesAt: '2030-10-27T01:00:00.000Z',
  },
  {
    reason: 'a jump of half an hour',
    windows: [{ start: '02:15', end: '05:00' }],
    timeZone: 'Australia/Lord_Howe',
    now: '2030-10-05T15:20:00Z', // 01:50; at 15:30Z 02:00 becomes 02:30
    open: false,
    rate: 0,
    changesAt: '2030-10-05T15:30:00.000Z',
  },
]

describe('fillAllowance', () => {
  test.each(cases)('$reason', ({ windows, timeZone = 'UTC', now, open, rate, changesAt }) => {
    const allowance = fillAllowance(windows, timeZone, new Date(now))
    expect(allowance.open).toBe(open)
    expect(allowance.maxBytesPerSecond).toBe(rate)
    expect(allowance.changesAt?.toISOString()).toBe(changesAt)
  })

  test('agrees with the wall clock, step by step over both changes of clocks', () => {
    const windows: Window[] = [
      { days: ['Sat', 'Sun'], start: '23:15', end: '02:40' },
      { start: '03:05', end: '03:10', maxGbps: 1 },
    ]
    const clock = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'America/New_York',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
    })
    const isOpen = (at: Date) => {
      const [day, time] = clock.format(at).split(/,? /) as [string, string]
      if (time >= '03:05' && time < '03:10') return true
      if (time >= '23:15') return day === 'Sat' || day === 'Sun'
      return time < '02:40' && (day === 'Sun' || day === 'Mon')
    }
    for (const start of ['2030-03-09T20:00:00Z', '2030-11-02T20:00:00Z']) {
      let predicted: number | undefined
      let before: boolean | undefined
      for (let minute = 0; minute < 36 * 60; minute += 5) {
        const at = new Date(Date.parse(start) + minute * 60_000)
        const { open, changesAt } = fillAllowance(windows, 'America/New_York', at)
        expect([at.toISOString(), open]).toEqual([at.toISOString(), isOpen(at)])
        // A change happens when, and only when, it was announced.
        if (before !== undefined && open !== before) expect(at.getTime()).toBe(predicted)
        before = open
        predicted = changesAt?.getTime()
      }
    }
  })

  test('refuses what it cannot read', () => {
    const now = new Date()
    expect(() => fillAllowance([night], 'Mars/Olympus', now)).toThrow(RangeError)
    expect(() => fillAllowance([{ start: '7:00', end: '08:00' }], 'UTC', now)).toThrow('not a time of day: "7:00"')
  })
})
