"""How money moves: plain facts in and out, no models and no pages. Stripe is in stripe.py."""
