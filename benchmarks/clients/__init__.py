"""Load generators that speak carrel's wire protocol, and the peers', as cheaply as Python can."""
