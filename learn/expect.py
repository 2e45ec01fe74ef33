from learn.practice.expect import *
