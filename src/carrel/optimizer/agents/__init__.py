"""The agents that ship: triage, data, optimization, report, and the supervisor that runs them in order."""
