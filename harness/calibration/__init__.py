"""Does every case tell right from wrong? Accepted variants and known mistakes, run and judged."""
