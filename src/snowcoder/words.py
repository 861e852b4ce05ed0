"""Words that several components share, as values of columns and names of variants."""

# the values of column `split`, which split_files adds
TRAIN, HELD_OUT = "train", "held_out"
# id of the end of text, <|endoftext|>, in every tokenizer; it also begins a text and pads
EOS_ID = 0
# the variant that has the weights before any training
INITIAL = "initial"
