"""What begins by itself: cadences by real clocks, and cameras that become due."""
