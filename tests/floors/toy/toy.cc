// A floor with nothing in it: only how floors stand on each other matters here.
