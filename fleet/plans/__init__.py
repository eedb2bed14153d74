"""Plans: settings changed on cameras, written down before, proved after."""
