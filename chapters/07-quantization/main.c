// chapter 07
int main(void) { return 0; }
